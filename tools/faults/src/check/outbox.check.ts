import { byKey } from './by-key.js';
import type { Anomaly, Delivered, Observed } from './observed.js';

/** First deliveries: each event where it stands first on its partition; what follows are copies. */
export function firstDeliveries<T extends Delivered>(records: readonly T[]): T[] {
  const seen = new Set<string>();
  const nameOf = ({ topic, id }: Delivered): string => `${topic} ${id}`;
  return records.filter((record) => !seen.has(nameOf(record)) && seen.add(nameOf(record)));
}

/** The events of a key come to one partition, first deliveries in the order in which they were committed. */
function checkOrder(name: string, records: readonly Delivered[], orders: ReadonlyMap<string, number>): Anomaly[] {
  const partitions = new Set(records.map(({ partition }) => partition));
  if (partitions.size > 1)
    return [{ kind: 'reordered', what: `${name} is on the partitions ${[...partitions].join(' and ')}` }];
  let last = -1;
  return firstDeliveries(records).flatMap(({ id, partition, offset }): Anomaly[] => {
    const order = orders.get(id) ?? last;
    const isLate = order < last;
    last = Math.max(last, order);
    return isLate
      ? [{ kind: 'reordered', what: `${name}: ${id} at ${partition}/${offset} came after what was committed later` }]
      : [];
  });
}

/** Every event that was committed is on its topic, in order per key, and nothing is there that was not committed. */
export function checkOutboxes({ committed, delivered, unsent }: Observed): Anomaly[] {
  const placeOf = ({ topic, key, id }: { topic: string; key: string; id: string }): string => `${id} (${topic} ${key})`;
  const wanted = new Set(committed.map(placeOf));
  const there = new Set(delivered.map(placeOf));
  const orders = new Map(committed.map(({ id, order }) => [id, order]));
  return [
    ...committed
      .filter((event) => !there.has(placeOf(event)))
      .map((event): Anomaly => ({
        // Still in the outbox, it may yet come: then it is late without end. Gone from there, it never will.
        kind: unsent.has(event.service) ? 'stuck' : 'lost',
        what: `${event.service} committed ${placeOf(event)}, which is not on its topic`,
      })),
    ...firstDeliveries(delivered)
      .filter((record) => !wanted.has(placeOf(record)))
      .map((record): Anomaly => ({
        kind: 'invented',
        what: `${placeOf(record)} at ${record.partition}/${record.offset} was never committed`,
      })),
    ...[...byKey(delivered, ({ topic, key }) => `${topic} ${key}`)].flatMap(([name, records]) =>
      checkOrder(name, records, orders),
    ),
  ];
}

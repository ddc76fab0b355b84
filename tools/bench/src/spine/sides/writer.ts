import { createMetrics } from '@castiron/observability';
import { outboxKey } from '@castiron/transactions';
import { withDatabase } from '../database.js';
import { contractOn, dataOf } from '../events.js';
import type { OnTopic } from '../places.js';
import { productPath } from '../product-path.js';
import { stopwatch } from '../stopwatch.js';

const metrics = createMetrics('bench');

/** Events of one transaction, so that a backlog is there soon. */
const AT_ONCE = 200;

/** Writes a backlog into the outbox as a service does: checked against the contract, encoded, in transactions. */
export async function fill({ url, topic, count }: OnTopic & { count: number }): Promise<void> {
  const contract = contractOn(topic);
  await withDatabase(url, async (dataSource) => {
    const { transactions, stop } = await productPath({ dataSource, metrics, publications: { contract } });
    for (let at = 0; at < count; at += AT_ONCE) {
      const events = Array.from({ length: Math.min(AT_ONCE, count - at) }, (_, n) => dataOf(at + n));
      const keys = events.map((data) => outboxKey(topic, contract.key(data)));
      await transactions.run(keys, async (tx) => {
        for (const data of events) tx.publish(contract, data);
      });
    }
    await stop();
  });
}

/** Events to commit, in turn. */
const PREPARED = 20_000;
const NOTE = 'x'.repeat(200);

/** A row of the service with an event; the row alone, committed in the same way; the row alone, as TypeORM commits. */
export type Committing = 'with an event' | 'by transactions' | 'by the data source';

/** Clients that commit one after the other, each waiting for its answer. @returns commits of one second */
export async function commit(
  given: OnTopic & { clients: number; seconds: number; how: Committing },
): Promise<{ perSecond: number; cpuUsPerCommit: number }> {
  const { url, topic, clients, seconds, how } = given;
  const contract = contractOn(topic);
  return withDatabase(url, async (dataSource) => {
    const { transactions, stop } = await productPath({ dataSource, metrics, publications: { contract } });
    // Of a service without an outbox nobody would measure it.
    if (how !== 'with an event') await stop();
    const order = `INSERT INTO orders (customer, note) VALUES ($1, $2)`;
    // To make what is told is the service's work, whoever tells it.
    const prepared = Array.from({ length: PREPARED }, (_, n) => dataOf(n));
    let n = 0;
    const next = (): (typeof prepared)[number] => prepared[(n += 1) % PREPARED]!;
    const ways: Record<Committing, () => Promise<void>> = {
      'with an event': async () => {
        const data = next();
        await transactions.run([outboxKey(topic, data.customer)], async (tx) => {
          await tx.manager.query(order, [data.customer, NOTE]);
          tx.publish(contract, data);
        });
      },
      'by transactions': async () => {
        await transactions.run([], (tx) => tx.manager.query(order, [next().customer, NOTE]));
      },
      'by the data source': async () => {
        await dataSource.transaction((manager) => manager.query(order, [next().customer, NOTE]));
      },
    };
    const once = ways[how];
    const until = async (deadline: number): Promise<number> => {
      let done = 0;
      const client = async (): Promise<void> => {
        while (performance.now() < deadline) {
          await once();
          done += 1;
        }
      };
      await Promise.all(Array.from({ length: clients }, client));
      return done;
    };
    // Connections and plans first.
    await until(performance.now() + Math.min(2_000, seconds * 200));
    const lap = stopwatch();
    const done = await until(performance.now() + seconds * 1000);
    const { ms, cpuUs } = lap();
    await stop();
    return { perSecond: (done * 1000) / ms, cpuUsPerCommit: cpuUs / done };
  });
}

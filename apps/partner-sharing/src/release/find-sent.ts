import { feeds, feedTick } from '@castiron/contracts';
import type { FencedProducer, Kafka, Span } from '@castiron/kafka';
import type { SendingRow } from './outcome.js';

/** What became of records that somebody was sending when last heard of. */
export interface Found {
  readonly sent: readonly SendingRow[];
  /** They stand nowhere, and never will. */
  readonly notSent: readonly SendingRow[];
  /** They may have stood there: nobody can tell any more. */
  readonly unknown: readonly SendingRow[];
}

/**
 * Finds out which records stand on the feed of a recipient. A tick on each of its partitions shows them the epoch of a
 * producer that was just opened: what former owners of the lane still have under way is refused from there on, however
 * late it comes. So what stands before the tick is all that there will ever be (G2).
 * @throws where a partition cannot be written or read: then nothing is known
 */
export async function findSent(
  recipient: string,
  rows: readonly SendingRow[],
  producer: FencedProducer,
  kafka: Pick<Kafka, 'readSpans'>,
  signal: AbortSignal,
): Promise<Found> {
  const { name: topic, partitions } = feeds.of(recipient);
  const begins = beginsOf(rows);
  const shutOutAt = await producer.send(
    Array.from({ length: Math.max(begins.length, partitions) }, (_, partition) => feedTick(topic, partition)),
  );
  const spans = shutOutAt.flatMap(({ partition, offset }): Span[] => {
    const from = begins[partition];
    return from === undefined ? [] : [{ topic, partition, from, to: offset }];
  });
  const ids = new Set<string>();
  const gone = await kafka.readSpans(spans, ({ headers }) => ids.add(String(headers['ce_id'])), signal);
  const found = Map.groupBy(rows, (row) => {
    if (ids.has(row.outcome.recordId)) return 'sent';
    return gone.length > 0 || mayBeGone(row) ? 'unknown' : 'notSent';
  });
  return { sent: found.get('sent') ?? [], notSent: found.get('notSent') ?? [], unknown: found.get('unknown') ?? [] };
}

/** By partition, where the first of them may stand. */
function beginsOf(rows: readonly SendingRow[]): bigint[] {
  const begins: bigint[] = [];
  for (const { outcome } of rows)
    for (const [partition, end] of (outcome.feedEnds ?? []).entries()) {
      const before = begins[partition];
      if (before === undefined || BigInt(end) < before) begins[partition] = BigInt(end);
    }
  return begins;
}

/** Nothing follows a record that is in doubt under its key, so compaction keeps it; but a tombstone for a time only. */
const mayBeGone = ({ outcome, isOld }: SendingRow): boolean =>
  outcome.feedEnds === undefined || (outcome.kind === 'tombstone' && isOld);

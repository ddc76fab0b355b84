import { once } from 'node:events';
import type { Kafka } from '@castiron/kafka';
import type { Logger } from '@castiron/observability';
import type { DataSource, EntityManager } from 'typeorm';
import { openIncidents } from '../incidents/incident.table.js';
import { abortedEntry } from './feed-notes.table.js';

/** Entries of one round; the others have the next. */
const CHUNK = 1_000;

/** What became of awaited entries. */
export interface Missing {
  /** Incidents. */
  readonly missing: number;
  /** Their records may have stood where nobody could look. */
  readonly unobserved: number;
}

/**
 * Finds entries that say that their record was sent, and whose feed has none. No clock has a say: once an entry is settled as
 * sent, its feed's ends are asked for, and where all of the feed was read up to there, the record would have been noted.
 * @param stopping the broker is not waited for any more
 */
export async function findMissingRecords(
  dataSource: DataSource,
  kafka: Kafka,
  logger: Logger,
  stopping: AbortSignal,
): Promise<Missing> {
  const sent = await sentAndNotSeen(dataSource);
  const topics = [...new Set(sent.map(({ topic }) => topic))];
  const admin = kafka.admin();
  try {
    for (const topic of topics) {
      const entries = sent.filter((one) => one.topic === topic).map(({ entry }) => entry);
      try {
        await keepEnds(dataSource, topic, await unless(stopping, admin.trueEndOffsets(topic)), entries);
      } catch (error) {
        if (stopping.aborted) return { missing: 0, unobserved: 0 };
        // One feed that cannot be asked about holds up no other.
        logger.warn({ err: error, topic }, 'the end of a feed cannot be told yet');
      }
    }
  } finally {
    await admin.close();
  }
  return dataSource.transaction('READ COMMITTED', judge);
}

/** Neither being sent nor aborted, and the ends of their feeds are not known yet. */
function sentAndNotSeen(dataSource: DataSource): Promise<readonly { entry: string; topic: string }[]> {
  return dataSource.query(
    `SELECT a.entry, a.topic FROM awaited_records a
     WHERE a.ends IS NULL
       AND NOT EXISTS (SELECT FROM share_entries o JOIN sending_records s ON s.share = o.share AND s.entry = o.entry
         WHERE o.entry = a.entry)
       AND NOT EXISTS (${abortedEntry('a.entry')})
     ORDER BY a.index LIMIT $1`,
    [CHUNK],
  );
}

/** The work, or at once the reason for which it is not waited for. */
async function unless<T>(stopping: AbortSignal, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const stopped = once(stopping, 'abort', { signal: over.signal }).then(() => stopping.throwIfAborted());
  for (const one of [work, stopped]) one.catch(() => undefined);
  try {
    stopping.throwIfAborted();
    return (await Promise.race([work, stopped])) as T;
  } finally {
    over.abort();
  }
}

type Ends = readonly { readonly partition: number; readonly offset: string }[];

/** A feed that ends before what was read of it is another one, or was cut: it is read anew, and what was read there is gone. */
async function keepEnds(dataSource: DataSource, topic: string, ends: Ends, entries: readonly string[]): Promise<void> {
  await dataSource.query(
    `UPDATE feed_positions p SET next_offset = 0, unobserved = unobserved + p.next_offset - e."offset",
       unobserved_below = (SELECT size FROM ledger_head)
     FROM unnest($2::int[], $3::bigint[]) AS e (partition, "offset")
     WHERE p.topic = $1 AND p.partition = e.partition AND p.next_offset > e."offset"`,
    [topic, ends.map(({ partition }) => partition), ends.map(({ offset }) => offset)],
  );
  await dataSource.query('UPDATE awaited_records SET ends = $2 WHERE entry = ANY($1::uuid[])', [
    entries,
    JSON.stringify(Object.fromEntries(ends.map(({ partition, offset }) => [partition, offset]))),
  ]);
}

async function judge(manager: EntityManager): Promise<Missing> {
  const [judged]: [{ entry: string; index: string; topic: string; unobserved: boolean }[], number] =
    await manager.query(
      `DELETE FROM awaited_records a
     WHERE a.ends IS NOT NULL AND NOT EXISTS (
       SELECT FROM jsonb_each_text(a.ends) AS e (partition, next)
       WHERE e.next <> '0' AND NOT EXISTS (SELECT FROM feed_positions p
         WHERE p.topic = a.topic AND p.partition = e.partition::int AND p.next_offset >= e.next::bigint))
     RETURNING entry, index, topic,
       EXISTS (SELECT FROM feed_positions p WHERE p.topic = a.topic AND p.unobserved_below > a.index) AS unobserved`,
    );
  const missing = judged.filter(({ unobserved }) => !unobserved);
  await openIncidents(
    manager,
    missing.map(({ entry, index, topic }) => ({
      kind: 'record-missing',
      cause: `${topic}: no record of entry ${index} (${entry})`,
    })),
  );
  const unobserved = judged.length - missing.length;
  if (unobserved > 0) await manager.query('UPDATE compared_entries SET unobserved = unobserved + $1', [unobserved]);
  return { missing: missing.length, unobserved };
}

import { Retryable } from '@castiron/failures';
import type { Leaf } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';
import type { NamedEntry } from './ground-of-record.decision.js';
import type { FeedPartition } from './place.js';
import type { GroundedRecord, LastRecord, SeenRecord } from './weigh-records.decision.js';

/** Has a row for each entry $of that was aborted, with how far it reached. */
export const abortedEntry = (of: string): string =>
  `SELECT (leaf::jsonb) ->> 'reached' AS reached FROM ledger_entries
   WHERE kind = 'aborted' AND (leaf::jsonb) ->> 'of' = ${of}::text LIMIT 1`;

interface NamedRow extends Omit<NamedEntry, 'leaf'> {
  readonly id: string;
  readonly leaf: string;
}

/** Entries by id, with whose they are and whether they were aborted. */
export async function namedEntries(
  manager: EntityManager,
  ids: readonly string[],
): Promise<ReadonlyMap<string, NamedEntry>> {
  const rows: NamedRow[] = await manager.query(
    `SELECT e.id, e.leaf, e.index, s.id AS share, s.subject, a.reached
     FROM ledger_entries e LEFT JOIN share_entries o ON o.entry = e.id LEFT JOIN shares s ON s.id = o.share
       LEFT JOIN LATERAL (${abortedEntry('e.id')}) a ON true
     WHERE e.id = ANY($1::uuid[])`,
    [ids],
  );
  return new Map(rows.map(({ id, leaf, ...rest }) => [id, { ...rest, leaf: JSON.parse(leaf) as Leaf }]));
}

/** The next offset to be read, which nobody else moves until the commit. */
export async function lockPosition(manager: EntityManager, { topic, partition }: FeedPartition): Promise<bigint> {
  await manager.query('INSERT INTO feed_positions (topic, partition) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    topic,
    partition,
  ]);
  const rows: { next_offset: string }[] = await manager.query(
    'SELECT next_offset FROM feed_positions WHERE topic = $1 AND partition = $2 FOR UPDATE',
    [topic, partition],
  );
  return BigInt(rows[0]?.next_offset ?? 0);
}

/** What was found on the way from one position to the next. */
export interface Passed {
  readonly next: bigint;
  readonly records: number;
  readonly duplicates: number;
  readonly groundless: number;
  readonly fallen: number;
  readonly unobserved: bigint;
}

export async function moveOn(
  manager: EntityManager,
  { topic, partition }: FeedPartition,
  passed: Passed,
): Promise<void> {
  await manager.query(
    `UPDATE feed_positions SET next_offset = $3, records = records + $4, duplicates = duplicates + $5,
       groundless = groundless + $6, fallen = fallen + $7, unobserved = unobserved + $8,
       -- What stood there was sent after its entry, and so before the ledger's end.
       unobserved_below = CASE WHEN $8 > 0 THEN (SELECT size FROM ledger_head) ELSE unobserved_below END,
       read_at = clock_timestamp()
     WHERE topic = $1 AND partition = $2`,
    [
      topic,
      partition,
      passed.next.toString(),
      passed.records,
      passed.duplicates,
      passed.groundless,
      passed.fallen,
      passed.unobserved.toString(),
    ],
  );
}

interface PlaceRow {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

const placed = <Row extends PlaceRow>(row: Row) => ({ ...row, offset: BigInt(row.offset) });

export async function notesOf(manager: EntityManager, entries: readonly string[]): Promise<readonly SeenRecord[]> {
  const rows: (PlaceRow & { entry: string; digest: Buffer })[] = await manager.query(
    'SELECT entry, topic, partition, "offset", digest FROM noted_records WHERE entry = ANY($1::uuid[])',
    [entries],
  );
  return rows.map(placed);
}

export async function lastRecordsOf(manager: EntityManager, shares: readonly string[]): Promise<readonly LastRecord[]> {
  const rows: (PlaceRow & { entry: string; digest: Buffer; share: string; version: string })[] = await manager.query(
    'SELECT share, version, entry, topic, partition, "offset", digest FROM last_records WHERE share = ANY($1::uuid[])',
    [shares],
  );
  return rows.map((row) => ({ ...placed(row), version: BigInt(row.version) }));
}

/**
 * Notes where the records of entries stand; they are awaited no more.
 * @throws Retryable where another partition's reader has just noted one of the same entry
 */
export async function keepNotes(manager: EntityManager, records: readonly GroundedRecord[]): Promise<void> {
  if (records.length === 0) return;
  const entries = records.map(({ entry }) => entry);
  const kept: unknown[] = await manager.query(
    `INSERT INTO noted_records (entry, index, topic, partition, "offset", digest)
     SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::int[], $5::bigint[], $6::bytea[]) ORDER BY 1
     ON CONFLICT DO NOTHING RETURNING entry`,
    [entries, records.map(({ index }) => index), ...placesOf(records), records.map(({ digest }) => digest)],
  );
  if (kept.length < records.length) throw new Retryable('a record of the same entry is noted elsewhere');
  await manager.query('DELETE FROM awaited_records WHERE entry = ANY($1::uuid[])', [entries]);
}

export async function keepLast(manager: EntityManager, records: readonly GroundedRecord[]): Promise<void> {
  if (records.length === 0) return;
  await manager.query(
    `INSERT INTO last_records AS known (share, version, entry, topic, partition, "offset", digest)
     SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::int[], $6::bigint[], $7::bytea[]) ORDER BY 1
     ON CONFLICT (share) DO UPDATE SET version = excluded.version, entry = excluded.entry, topic = excluded.topic,
       partition = excluded.partition, "offset" = excluded."offset", digest = excluded.digest
     WHERE known.version <= excluded.version`,
    [
      records.map(({ share }) => share),
      records.map(({ version }) => version.toString()),
      records.map(({ entry }) => entry),
      ...placesOf(records),
      records.map(({ digest }) => digest),
    ],
  );
}

const placesOf = (records: readonly GroundedRecord[]): [string[], number[], string[]] => [
  records.map(({ topic }) => topic),
  records.map(({ partition }) => partition),
  records.map(({ offset }) => offset.toString()),
];

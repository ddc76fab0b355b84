import { feeds } from '@castiron/contracts';
import type { DataSource, EntityManager } from 'typeorm';
import { openIncidents } from '../incidents/incident.table.js';
import { entriesFrom, type StoredEntry } from '../ledger/read-entries.js';
import { lockNotes } from './notes-lock.js';
import { causeAt, type Place } from './place.js';

/** Readers of feeds wait for it. */
const CHUNK = 500;
const WITH_RECORD: readonly string[] = ['released', 'withdrawn', 'tombstone'];

/**
 * Compares the ledger's next entries with the notes: an entry whose record was not seen yet is awaited from here on, and a
 * record that was seen although its entry was aborted before it was sent is an incident. Every entry is looked at once.
 * @returns whether more are waiting
 */
export function compareEntries(dataSource: DataSource): Promise<boolean> {
  return dataSource.transaction('READ COMMITTED', async (manager) => {
    const cursor: { next_index: string }[] = await manager.query(
      'SELECT next_index FROM compared_entries FOR UPDATE SKIP LOCKED',
    );
    const from = cursor[0]?.next_index;
    // Another process is comparing.
    if (from === undefined) return false;
    // Most of the time there is nothing, and nobody is to wait for that.
    const head: { size: string }[] = await manager.query('SELECT size FROM ledger_head');
    if (BigInt(head[0]?.size ?? 0) <= BigInt(from)) return false;
    await lockNotes(manager, 'exclusive');
    const entries = await entriesFrom(manager, { from: BigInt(from), limit: CHUNK });
    const last = entries.at(-1);
    if (last === undefined) return false;
    await awaitRecords(
      manager,
      entries.filter(({ leaf }) => WITH_RECORD.includes(leaf.kind)),
    );
    await forgiveAborted(
      manager,
      entries.filter(({ leaf }) => leaf.kind === 'aborted'),
    );
    await manager.query('UPDATE compared_entries SET next_index = $1', [(last.index + 1n).toString()]);
    return entries.length === CHUNK;
  });
}

async function awaitRecords(manager: EntityManager, entries: readonly StoredEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await manager.query(
    `INSERT INTO awaited_records (entry, index, topic)
     SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS one (entry, index, topic)
     WHERE NOT EXISTS (SELECT FROM noted_records n WHERE n.entry = one.entry)`,
    [
      entries.map(({ leaf }) => leaf.id),
      entries.map(({ index }) => index.toString()),
      entries.map(({ leaf }) => feeds.of(leaf.recipient).name),
    ],
  );
}

/** What was aborted needs no record. Where it says that none ever stood on the feed, there must be none. */
async function forgiveAborted(manager: EntityManager, aborted: readonly StoredEntry[]): Promise<void> {
  if (aborted.length === 0) return;
  await manager.query('DELETE FROM awaited_records WHERE entry = ANY($1::uuid[])', [
    aborted.map(({ leaf }) => leaf.of),
  ]);
  const rows: (Omit<Place, 'offset'> & { offset: string })[] = await manager.query(
    'SELECT topic, partition, "offset" FROM noted_records WHERE entry = ANY($1::uuid[])',
    [aborted.filter(({ leaf }) => leaf.reached === 'no').map(({ leaf }) => leaf.of)],
  );
  await openIncidents(
    manager,
    rows.map((row) => ({
      kind: 'disclosure-without-a-ground',
      cause: causeAt({ ...row, offset: BigInt(row.offset) }, 'its entry was aborted before it was sent'),
    })),
  );
}

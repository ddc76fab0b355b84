import type { DataSource } from 'typeorm';

/** In one go; the rest has the next. */
const CHUNK = 10_000;

/**
 * Drops notes that were compared and are an hour old: what a copy of a newer age is told by. A copy of an older record falls
 * behind the newest of its share, which is kept, and so is told all the same.
 * @returns whether there may be more
 */
export async function forgetNotes(dataSource: DataSource): Promise<boolean> {
  const [, dropped]: [unknown, number] = await dataSource.query(
    `DELETE FROM noted_records WHERE entry IN (
       SELECT entry FROM noted_records
       WHERE noted_at < clock_timestamp() - interval '1 hour' AND index < (SELECT next_index FROM compared_entries)
       ORDER BY noted_at LIMIT $1)`,
    [CHUNK],
  );
  return dropped === CHUNK;
}

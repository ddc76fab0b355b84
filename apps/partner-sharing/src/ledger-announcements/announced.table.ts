import type { EntityManager } from 'typeorm';

/** Of an announcement, whether the relay has it on its topic: each lane has settled its transaction. */
const PUBLISHED = `NOT EXISTS (SELECT FROM outbox_lanes l WHERE NOT pg_visible_in_snapshot(a.xid, l.settled))`;

/** The ledger was announced up to this index in this transaction. Those that a later published one says too are forgotten. */
export async function announced(manager: EntityManager, nextIndex: bigint): Promise<void> {
  await manager.query(
    `DELETE FROM disclosures_announced WHERE next_index <
       (SELECT max(next_index) FROM disclosures_announced a WHERE ${PUBLISHED})`,
  );
  await manager.query('INSERT INTO disclosures_announced (next_index, xid) VALUES ($1, pg_current_xact_id())', [
    nextIndex.toString(),
  ]);
}

/**
 * How many of the ledger's entries stand on their topic. No head says more than that: what was signed for others to remember
 * can be completed from the topic, should the database be lost.
 */
export async function publishedEntries(manager: EntityManager): Promise<number> {
  const rows: { published: string | null }[] = await manager.query(
    `SELECT max(next_index) AS published FROM disclosures_announced a WHERE ${PUBLISHED}`,
  );
  return Number(rows[0]?.published ?? 0);
}

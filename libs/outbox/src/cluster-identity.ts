import type { Connections } from './connections.js';
import { partitions } from './partitions.js';

interface Recognised {
  /** Of the server at which this was looked at: what rests on cursors holds there alone. */
  readonly incarnation: string;
  /** Whether the cluster is another one than before. */
  readonly isAnother: boolean;
}

/**
 * Transaction ids start anew in another cluster: after a dump was restored there, cursors would skip rows for ever.
 * Where the cluster changed, all rows left are sent again, in order; readers de-duplicate.
 */
export function restartAfterRestore(connections: Connections): Promise<Recognised> {
  return connections.inTransaction(async (query, incarnation) => {
    await query(`LOCK TABLE outbox_cluster IN EXCLUSIVE MODE`);
    const [here] = await query<{ id: string }>(`SELECT system_identifier::text AS id FROM pg_control_system()`);
    const [known] = await query<{ id: string }>(`SELECT system_identifier AS id FROM outbox_cluster`);
    if (here === undefined) throw new Error('PostgreSQL does not tell which cluster it is');
    if (known?.id === here.id) return { incarnation, isAnother: false };
    await query(`DELETE FROM outbox_cluster`);
    await query(`INSERT INTO outbox_cluster (system_identifier) VALUES ($1)`, [here.id]);
    if (known === undefined) return { incarnation, isAnother: false };
    // The old ids may lie in this cluster's future, where no snapshot sees them.
    // One after the other: of a large backlog, one statement for all would take longer than a statement may.
    for (const { name } of await partitions(query)) await query(`UPDATE ${name} SET xid = pg_current_xact_id()`);
    await query(
      `UPDATE outbox_lanes SET settled = '1:1:', reading = '1:1:', last_id = 0, token = token + 1, lease_until = '-infinity',
         marked = CASE WHEN marked IS NOT NULL THEN '1:1:'::pg_snapshot END`,
    );
    return { incarnation, isAnother: true };
  }, []);
}

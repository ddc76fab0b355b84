import type { Connections } from './connections.js';

/**
 * Transaction ids start anew in another cluster: after a dump was restored there, cursors would skip rows for ever.
 * Where the cluster changed, all rows left are sent again, in order; readers de-duplicate.
 * @returns whether that was so
 */
export function restartAfterRestore(connections: Connections): Promise<boolean> {
  return connections.inTransaction(async (query) => {
    await query(`LOCK TABLE outbox_cluster IN EXCLUSIVE MODE`);
    const [here] = await query<{ id: string }>(`SELECT system_identifier::text AS id FROM pg_control_system()`);
    const [known] = await query<{ id: string }>(`SELECT system_identifier AS id FROM outbox_cluster`);
    if (here === undefined) throw new Error('PostgreSQL does not tell which cluster it is');
    if (known?.id === here.id) return false;
    await query(`DELETE FROM outbox_cluster`);
    await query(`INSERT INTO outbox_cluster (system_identifier) VALUES ($1)`, [here.id]);
    if (known === undefined) return false;
    // The old ids may lie in this cluster's future, where no snapshot sees them.
    await query(`UPDATE outbox SET xid = pg_current_xact_id()`);
    await query(
      `UPDATE outbox_lanes SET settled = '1:1:', reading = '1:1:', last_id = 0, token = token + 1, lease_until = '-infinity'`,
    );
    return true;
  });
}

import type { EntityManager } from 'typeorm';

/** In one order for all that update many: what settles a batch and what cancels mailings wait for each other one way only. */
export async function lockShares(manager: EntityManager, ids: readonly string[]): Promise<void> {
  await manager.query('SELECT FROM shares WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE', [ids]);
}

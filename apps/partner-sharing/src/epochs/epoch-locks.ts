import { advisoryLock } from '@castiron/transactions';
import type { EntityManager } from 'typeorm';
import { UNLESS_SILENT } from '../database/unless-silent.js';

/** What a revocation can end at once: an agreement, all of a customer, or one share. */
const EPOCH_SCOPES = ['agreement', 'customer', 'share'] as const;
export type EpochScope = (typeof EPOCH_SCOPES)[number];

const TABLES: Readonly<Record<EpochScope, string>> = {
  agreement: 'agreements',
  customer: 'customers',
  share: 'shares',
};

const sortedLocks = (scope: EpochScope, ids: Iterable<string>): string[] =>
  [...new Set([...ids].map((id) => advisoryLock(`epoch:${scope}:${id}`)))].sort((a, b) => (a < b ? -1 : 1)).map(String);

/**
 * Shared locks of a release, in the order agreement, customer, share; the ledger head comes after them. Advisory locks
 * queue fairly: with FOR SHARE, overlapping releases would keep a revocation out for ever.
 */
export async function lockEpochsShared(
  manager: EntityManager,
  of: Readonly<Record<EpochScope, Iterable<string>>>,
): Promise<void> {
  const locks = EPOCH_SCOPES.flatMap((scope) => sortedLocks(scope, of[scope]));
  // A statement of its own: the next one must see what the holders of these locks committed.
  await manager.query(`SELECT ${UNLESS_SILENT}, pg_advisory_xact_lock_shared(key) FROM unnest($1::bigint[]) AS key`, [
    locks,
  ]);
}

/** The exclusive locks of whatever raises these epochs; sorted. */
export async function lockEpochs(manager: EntityManager, scope: EpochScope, ids: Iterable<string>): Promise<void> {
  await manager.query(`SELECT ${UNLESS_SILENT}, pg_advisory_xact_lock(key) FROM unnest($1::bigint[]) AS key`, [
    sortedLocks(scope, ids),
  ]);
}

/** Raises one epoch under its exclusive lock: no release decided before can be marked `sending` after this commit. */
export async function raiseEpoch(manager: EntityManager, scope: EpochScope, id: string): Promise<bigint> {
  await lockEpochs(manager, scope, [id]);
  const [rows]: [{ epoch: string }[], number] = await manager.query(
    `UPDATE ${TABLES[scope]} SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch`,
    [id],
  );
  const raised = rows[0];
  if (raised === undefined) throw new Error(`there is no ${scope} to raise the epoch of`);
  return BigInt(raised.epoch);
}

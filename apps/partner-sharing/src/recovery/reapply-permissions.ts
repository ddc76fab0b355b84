import { permissionChanged } from '@castiron/contracts';
import type { OwnRecord } from '@castiron/outbox';
import type { RecoveryLog } from '@castiron/service';
import type { Transactions, Tx } from '@castiron/transactions';
import { announcePermission } from '../permissions/announce-permission.js';
import { permissionOf, storePermission, type Permission } from '../permissions/permission.table.js';
import { orderOfPermission } from '../publications.js';
import { findRecipient } from '../recipients/recipient.table.js';
import { closeShare } from './close-share.js';
import { recoverPermission, type LostPermission } from './lost-permission.decision.js';
import { toldOf } from './told.js';

/** Revocations of the lost time hold again; what was permitted in it is only counted. */
export async function reapplyPermissions(
  transactions: Transactions,
  records: readonly OwnRecord[],
  log: RecoveryLog,
): Promise<void> {
  log.phase('permissions');
  for (const { lost } of toldOf(records, permissionChanged)) {
    const [first] = lost;
    if (first === undefined) continue;
    const { customer, recipient, purpose } = first;
    await transactions.run([orderOfPermission(customer, recipient, purpose)], (tx) => reapply(tx, lost, first, log));
  }
}

async function reapply(tx: Tx, lost: readonly LostPermission[], of: LostPermission, log: RecoveryLog): Promise<void> {
  const { manager } = tx;
  const { customer, recipient, purpose } = of;
  // One that was registered in the lost time: without it, nothing rests on a permission.
  if ((await findRecipient(manager, recipient)) === undefined)
    return log.count('permissions of recipients unknown here');
  const known = await permissionOf(manager, customer, recipient, purpose);
  const recovery = recoverPermission(known, lost);
  if (lost.at(-1)?.state === 'granted' && known?.state !== 'granted') log.count('grants not revived');
  if (recovery.kind === 'nothing') return;
  log.count(
    { revoke: 'permissions revoked', tell: 'permissions told anew', forget: 'permissions forgotten' }[recovery.kind],
  );
  if (log.dryRun) return;
  if (recovery.kind === 'forget') return tx.tombstone(permissionChanged, permissionChanged.key({ ...of }));
  const { version, at } = recovery;
  const permission: Permission =
    recovery.kind === 'tell' && known !== undefined
      ? { ...known, version }
      : {
          customer,
          recipient,
          purpose,
          state: 'revoked',
          version,
          how: known?.how ?? null,
          givenAt: known?.givenAt ?? null,
          statementVersion: known?.statementVersion ?? of.statementVersion,
          changedAt: at,
        };
  await storePermission(manager, permission);
  announcePermission(tx, permission, true);
  if (recovery.kind === 'tell') return;
  await closeShare(manager, { customer, recipient }, 'permission-revoked');
}

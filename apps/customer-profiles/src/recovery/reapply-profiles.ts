import { profileChanged } from '@castiron/contracts';
import type { OwnRecord } from '@castiron/outbox';
import type { RecoveryLog } from '@castiron/service';
import type { Transactions, Tx } from '@castiron/transactions';
import { erasureOf, keepWithdrawal, lastWithdrawal } from '../commands/command.table.js';
import { profileChangedOf } from '../profiles/profile.js';
import { insertProfiles, readProfile, restoreProfile } from '../profiles/profile.table.js';
import { orderOfProfile } from '../publications.js';
import { recoverProfile, type LostProfile } from './recover-profile.decision.js';
import { toldProfiles } from './told-profiles.js';

/** What customers gave and withdrew in the lost time: their profiles stand on the topic whole, sealed as they were. */
export async function reapplyProfiles(
  transactions: Transactions,
  records: readonly OwnRecord[],
  log: RecoveryLog,
): Promise<void> {
  log.phase('profiles');
  for (const [customer, { lost, versions }] of toldProfiles(records))
    if (lost !== undefined)
      await transactions.run([orderOfProfile(customer)], (tx) => reapply(tx, lost, versions, log));
}

async function reapply(tx: Tx, lost: LostProfile, versions: readonly number[], log: RecoveryLog): Promise<void> {
  const { manager } = tx;
  const { customer } = lost;
  if ((await erasureOf(manager, customer)) !== undefined) return;
  const known = await readProfile(manager, customer);
  const profile = recoverProfile(known, lost, versions);
  if (profile === undefined) return;
  log.count(known === undefined ? 'customers found again' : 'profiles brought up to date');
  if (log.dryRun) return;
  if (known === undefined) await insertProfiles(manager, [profile]);
  else await restoreProfile(manager, profile);
  if (lost.withdrawal !== undefined) await keepWithdrawal(manager, customer, lost.withdrawal);
  const withdrawal = await lastWithdrawal(manager, customer);
  tx.publish(
    profileChanged,
    { ...profileChangedOf(profile), ...(withdrawal !== undefined && { withdrawal }) },
    { reserved: true },
  );
}

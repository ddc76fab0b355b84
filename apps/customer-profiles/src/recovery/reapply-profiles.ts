import { decodeMessage, profileChanged } from '@castiron/contracts';
import type { OwnRecord } from '@castiron/outbox';
import type { RecoveryLog } from '@castiron/service';
import type { Transactions, Tx } from '@castiron/transactions';
import { erasureOf, keepWithdrawal, lastWithdrawal } from '../commands/command.table.js';
import { profileChangedOf } from '../profiles/profile.js';
import { insertProfiles, readProfile, restoreProfile } from '../profiles/profile.table.js';
import { orderOfProfile } from '../publications.js';
import { recoverProfile, type LostProfile } from './recover-profile.decision.js';

interface Told {
  /** What a lost life told last. */
  lost?: LostProfile;
  /** Of all that was told from then on, by either life: what stands before it is in the backup. */
  readonly versions: number[];
}

/** What customers gave and withdrew in the lost time: their profiles stand on the topic whole, sealed as they were. */
export async function reapplyProfiles(
  transactions: Transactions,
  records: readonly OwnRecord[],
  log: RecoveryLog,
): Promise<void> {
  log.phase('profiles');
  for (const [customer, { lost, versions }] of toldOf(records))
    if (lost !== undefined)
      await transactions.run([orderOfProfile(customer)], (tx) => reapply(tx, lost, versions, log));
}

function toldOf(records: readonly OwnRecord[]): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const record of records) {
    const decoded = decodeMessage(record, [profileChanged]);
    if (!decoded.ok || decoded.event.data === null) continue;
    const data = decoded.event.data as LostProfile;
    const of = told.get(data.customer) ?? { versions: [] };
    if (!record.isKnown && (of.lost === undefined || of.lost.version < data.version)) of.lost = data;
    if (of.lost !== undefined) of.versions.push(data.version);
    told.set(data.customer, of);
  }
  return told;
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

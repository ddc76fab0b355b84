import { afterWithdrawal, type ReceivedEvent, type withdrawalDue } from '@castiron/contracts';
import { Poison } from '@castiron/failures';
import type { Tx } from '@castiron/transactions';
import { publications, SLUG } from '../publications.js';
import type { SubjectVault } from './subject-vault.js';

/** Deletes what a withdrawal names, and confirms it: the confirmation leaves with the deletion's own commit. */
export async function forgetWhenWithdrawalDue(
  vault: SubjectVault,
  now: () => Date,
  event: ReceivedEvent<typeof withdrawalDue>,
  tx: Tx,
): Promise<void> {
  const duty = event.data;
  if (duty === null) throw new Poison('empty-duty');
  const before = await vault.load(tx.manager, duty.subject);
  const after = afterWithdrawal(before, duty);
  if (after !== before) await vault.store(tx.manager, duty.subject, after);
  const { obligation, subject, version } = duty;
  tx.publish(
    publications.withdrawalConfirmed,
    { obligation, subject, version, at: now().toISOString() },
    { slug: SLUG, reserved: true },
  );
}

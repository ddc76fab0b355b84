import { holdsAnything, type noticeDue, type ReceivedEvent } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import type { SubjectVault } from '../subjects/subject-vault.js';

/** Why a notice that was parked is not written any more: all that was held of its subject has been withdrawn since. */
export async function withdrawnSince(
  vault: SubjectVault,
  event: ReceivedEvent<typeof noticeDue>,
  tx: Tx,
): Promise<'subject-withdrawn' | undefined> {
  const copy = await vault.load(tx.manager, event.key);
  const wasKnown = copy.version > 0 || copy.floor > 0;
  return wasKnown && !holdsAnything(copy) ? 'subject-withdrawn' : undefined;
}

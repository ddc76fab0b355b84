import { afterRecord, afterTombstone, type feedRecord, type ReceivedEvent } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import { heedFeedOfCancelled } from '../cancellations/heed-feed-of-cancelled.js';
import { queueWaiting } from '../mail/mail.table.js';
import type { SubjectVault } from './subject-vault.js';

/** Replaces the copy of a subject by what the feed now says, or ends it; never goes back in versions. */
export async function keepSubjectWhenFeedChanged(
  vault: SubjectVault,
  wakeMail: () => void,
  event: ReceivedEvent<typeof feedRecord>,
  tx: Tx,
): Promise<void> {
  const subject = event.key;
  const before = await vault.load(tx.manager, subject);
  const copy = event.data === null ? afterTombstone(before) : afterRecord(before, event.data);
  if (copy === undefined) return;
  await vault.store(tx.manager, subject, copy);
  // A deleted key says that nothing is held, not that mailings were stopped: only a record settles a cancellation.
  if (!copy.deleted) {
    await heedFeedOfCancelled(tx.manager, subject, {
      version: copy.version,
      mailing: copy.mailing,
      at: event.meta.time,
    });
  }
  if (await queueWaiting(tx.manager, subject)) tx.afterCommit(wakeMail);
}

import {
  afterRecord,
  afterTombstone,
  NOTHING_HELD,
  type feedRecord,
  type HeldCopy,
  type ReceivedEvent,
} from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import { isPermittedAnew } from '../cancellations/cancellation.decision.js';
import { cancellationsOf, liftCancellations } from '../cancellations/cancellation.table.js';
import { queueWaiting } from '../mail/mail.table.js';
import type { SubjectVault } from './subject-vault.js';

/** Replaces the copies of subjects by what the feed now says, or ends them; never goes back in versions. */
export async function keepSubjectsWhenFeedChanged(
  vault: SubjectVault,
  wakeMail: () => void,
  events: readonly ReceivedEvent<typeof feedRecord>[],
  tx: Tx,
): Promise<void> {
  const subjects = [...new Set(events.map(({ key }) => key))];
  const before = await vault.loadAll(tx.manager, subjects);
  const cancellations = await cancellationsOf(tx.manager, subjects);
  const lifted = new Set<string>();
  const after = new Map<string, HeldCopy>();
  for (const { key: subject, data } of events) {
    const known = after.get(subject) ?? before.get(subject) ?? NOTHING_HELD;
    const copy = data === null ? afterTombstone(known) : afterRecord(known, data);
    if (copy === undefined) continue;
    after.set(subject, copy);
    const cancelledAt = cancellations.get(subject);
    if (data !== null && cancelledAt !== undefined && isPermittedAnew(cancelledAt, data)) lifted.add(subject);
  }
  if (after.size === 0) return;
  await vault.storeAll(tx.manager, after);
  await liftCancellations(tx.manager, [...lifted]);
  if (await queueWaiting(tx.manager, [...after.keys()])) tx.afterCommit(wakeMail);
}

import type { mailingCancelled, ReceivedEvent } from '@castiron/contracts';
import { Poison } from '@castiron/failures';
import type { Tx } from '@castiron/transactions';
import { lockEpochs } from '../epochs/epoch-locks.js';
import { revokeWithin } from '../permissions/revoke-permission/revoke-permission.use-case.js';
import { orderOfPermission } from '../publications.js';
import { NOTIFIER } from '../release/notices-of.decision.js';
import type { ReleaseSignals } from '../release/release-signals.js';
import { lockShares } from '../shares/lock-shares.js';
import { makePending } from '../shares/make-shares.js';

interface CancelledShare {
  readonly id: string;
  readonly customer: string;
  readonly at: string;
}

/**
 * One cancellation stops our mailings (P16): the permission to mail ends here too, so that the feed says `stopped`. Each
 * record from now on tells that it was made with the cancellation, so that a permission given before it is not taken for a
 * new one; one is made even where nothing else changes, if the last one allowed mailings. What was permitted while the cancellation was under way ends with
 * it: whose clock is right nobody knows, and no mail is the safer of the two.
 */
export function revokeMailingWhenMailingCancelled(signals: ReleaseSignals) {
  return async (events: readonly ReceivedEvent<typeof mailingCancelled>[], tx: Tx): Promise<void> => {
    const shares = await cancelledShares(tx, events);
    if (shares.length === 0) return;
    const permissions = shares.map(({ customer }) => ({ customer, recipient: NOTIFIER, purpose: 'mailing' as const }));
    tx.claim(permissions.map(({ customer, recipient, purpose }) => orderOfPermission(customer, recipient, purpose)));
    const ids = shares.map(({ id }) => id);
    // All of them first and in one order, as releases take them: neither is to wait for the other.
    await lockEpochs(tx.manager, 'share', ids);
    await lockShares(tx.manager, ids);
    for (const permission of permissions) await revokeWithin(tx, permission, signals);
    await tx.manager.query(
      `UPDATE shares s SET mailing_cancelled_at = c.at FROM unnest($1::uuid[], $2::timestamptz[]) AS c (id, at) WHERE s.id = c.id`,
      [ids, shares.map(({ at }) => at)],
    );
    await makePending(tx.manager, ids, 'mailing-cancelled');
  };
}

/** With their last cancellation, in the order of their ids; those that it is known of, as where one comes again, are left out. */
async function cancelledShares(
  { manager }: Tx,
  events: readonly ReceivedEvent<typeof mailingCancelled>[],
): Promise<readonly CancelledShare[]> {
  const last = new Map(events.flatMap(({ data }) => (data === null ? [] : [[data.subject, data.at] as const])));
  const found: { id: string; customer: string; subject: string; known: Date | null }[] = await manager.query(
    `SELECT id, customer, subject, mailing_cancelled_at AS known FROM shares
      WHERE recipient = $1 AND subject = ANY ($2::uuid[]) ORDER BY id`,
    [NOTIFIER, [...last.keys()]],
  );
  if (found.length < last.size) throw new Poison('unknown-subject');
  return found.flatMap(({ id, customer, subject, known }) => {
    const at = last.get(subject) ?? '';
    return known !== null && known >= new Date(at) ? [] : [{ id, customer, at }];
  });
}

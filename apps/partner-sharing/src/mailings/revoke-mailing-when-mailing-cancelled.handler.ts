import type { mailingCancelled, ReceivedEvent } from '@castiron/contracts';
import { Poison } from '@castiron/failures';
import type { Tx } from '@castiron/transactions';
import { NOTIFIER } from '../release/notices-of.decision.js';

/** Revokes a permission inside a transaction that is under way. */
export type RevokePermission = (
  tx: Tx,
  permission: { customer: string; recipient: string; purpose: 'mailing' },
) => Promise<unknown>;

/**
 * One cancellation stops our mailings (P16): the permission to mail ends here too, so that the feed says `stopped`. Each record
 * from now on tells that it was made with the cancellation, so that a permission given before it is not taken for a new one.
 */
export function revokeMailingWhenMailingCancelled(revoke: RevokePermission) {
  return async (event: ReceivedEvent<typeof mailingCancelled>, tx: Tx): Promise<void> => {
    const { subject, at } = event.data ?? {};
    const found: { customer: string }[] = await tx.manager.query(
      'SELECT customer FROM shares WHERE recipient = $1 AND subject = $2',
      [NOTIFIER, subject],
    );
    const share = found[0];
    if (share === undefined) throw new Poison('unknown-subject');
    await revoke(tx, { customer: share.customer, recipient: NOTIFIER, purpose: 'mailing' });
    await tx.manager.query(
      `UPDATE shares SET mailing_cancelled_at = greatest(mailing_cancelled_at, $3)
        WHERE recipient = $1 AND subject = $2`,
      [NOTIFIER, subject, at],
    );
  };
}

import type { mailingCancelled, ReceivedEvent } from '@castiron/contracts';
import { Poison } from '@castiron/failures';
import type { Tx } from '@castiron/transactions';
import { NOTIFIER } from '../release/notices-of.decision.js';

/** Revokes a permission inside a transaction that is under way. */
export type RevokePermission = (
  tx: Tx,
  permission: { customer: string; recipient: string; purpose: 'mailing' },
) => Promise<unknown>;

/** One cancellation stops our mailings (P16): the permission to mail ends here too, so that the feed says `stopped`. */
export function revokeMailingWhenMailingCancelled(revoke: RevokePermission) {
  return async (event: ReceivedEvent<typeof mailingCancelled>, tx: Tx): Promise<void> => {
    const subject = event.data?.subject;
    const found: { customer: string }[] = await tx.manager.query(
      'SELECT customer FROM shares WHERE recipient = $1 AND subject = $2',
      [NOTIFIER, subject],
    );
    const share = found[0];
    if (share === undefined) throw new Poison('unknown-subject');
    await revoke(tx, { customer: share.customer, recipient: NOTIFIER, purpose: 'mailing' });
  };
}

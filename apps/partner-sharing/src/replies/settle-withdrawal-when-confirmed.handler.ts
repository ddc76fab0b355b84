import { replies, type withdrawalConfirmed, type ReceivedEvent } from '@castiron/contracts';
import { Poison } from '@castiron/failures';
import type { Tx } from '@castiron/transactions';
import type { ReleaseSignals } from '../release/release-signals.js';
import { makePending } from '../shares/make-shares.js';

/**
 * A recipient says that it deleted what a withdrawal named. It can speak for itself only: the topic, which its own
 * principal alone can write, says who it is. Where everything is deleted, the feed's key may go too.
 */
export function settleWithdrawalWhenConfirmed(signals: ReleaseSignals) {
  return async (event: ReceivedEvent<typeof withdrawalConfirmed>, tx: Tx): Promise<void> => {
    const recipient = replies.slugOf(event.topic);
    if (event.data === null || recipient === undefined) throw new Poison('not-a-reply');
    const { obligation, subject, version } = event.data;
    const found: { share: string; state: string; version: number }[] = await tx.manager.query(
      'SELECT share, state, version FROM obligations WHERE id = $1 AND recipient = $2 AND subject = $3 FOR UPDATE',
      [obligation, recipient, subject],
    );
    const owed = found[0];
    if (owed === undefined) throw new Poison('foreign-or-unknown-obligation');
    if (version < owed.version) throw new Poison('older-than-the-withdrawal');
    if (owed.state !== 'open') return;
    await tx.manager.query(`UPDATE obligations SET state = 'confirmed', settled_at = clock_timestamp() WHERE id = $1`, [
      obligation,
    ]);
    await makePending(tx.manager, [owed.share], 'obligation-settled');
    tx.afterCommit(() => signals.tell('pending'));
  };
}

import { replies, type ReceivedEvent, type resyncRequested } from '@castiron/contracts';
import { Poison } from '@castiron/failures';
import type { Tx } from '@castiron/transactions';
import type { ReleaseSignals } from '../release/release-signals.js';
import { askForAll, askForOne } from '../resyncs/resync.table.js';

/**
 * A recipient has lost its copy, or a part of it. It can ask for its own records only: the topic, which its own principal
 * alone can write, says who it is.
 */
export function resyncWhenRequested(signals: ReleaseSignals) {
  return async (event: ReceivedEvent<typeof resyncRequested>, tx: Tx): Promise<void> => {
    const recipient = replies.slugOf(event.topic);
    if (event.data === null || recipient === undefined) throw new Poison('not-a-reply');
    const { subject } = event.data;
    if (subject === undefined) return askForAll(tx.manager, recipient);
    const found: { id: string }[] = await tx.manager.query(
      'SELECT id FROM shares WHERE recipient = $1 AND subject = $2',
      [recipient, subject],
    );
    const share = found[0]?.id;
    if (share === undefined) throw new Poison('foreign-or-unknown-subject');
    await askForOne(tx.manager, recipient, share);
    tx.afterCommit(() => signals.tell('pending'));
  };
}

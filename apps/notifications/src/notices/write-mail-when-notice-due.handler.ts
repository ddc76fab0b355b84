import type { noticeDue, ReceivedEvent } from '@castiron/contracts';
import { Poison } from '@castiron/failures';
import type { Tx } from '@castiron/transactions';
import { addNotice } from '../mail/mail.table.js';

/** Writes the mail that a notice asks for. Before the subject's first feed record it waits for that. */
export async function writeMailWhenNoticeDue(
  wakeMail: () => void,
  event: ReceivedEvent<typeof noticeDue>,
  tx: Tx,
): Promise<void> {
  if (event.data === null) throw new Poison('empty-duty');
  await addNotice(tx.manager, event.data);
  tx.afterCommit(wakeMail);
}

import { randomUUID } from 'node:crypto';
import type { Transactions } from '@castiron/transactions';
import { addMailing } from '../../mail/mail.table.js';
import type { MailText } from '../../mail/mail-text.js';
import { insertMailing } from '../mailing.table.js';

export interface OrderedMailing {
  readonly mailing: string;
  /** How many mails were written; whoever cancels before theirs leaves gets none. */
  readonly mails: number;
}

/** Writes a mailing to all who may be mailed now (P16). One statement for everybody: for installations of one database. */
export class SendMailingUseCase {
  constructor(
    private readonly transactions: Transactions,
    private readonly wakeMail: () => void,
  ) {}

  send(words: MailText, orderedBy: string): Promise<OrderedMailing> {
    const id = randomUUID();
    return this.transactions.run([], async (tx) => {
      await insertMailing(tx.manager, { ...words, id, orderedBy, createdAt: new Date() });
      const mails = await addMailing(tx.manager, id);
      tx.afterCommit(this.wakeMail);
      return { mailing: id, mails };
    });
  }
}

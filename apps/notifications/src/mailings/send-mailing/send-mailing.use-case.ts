import { randomUUID } from 'node:crypto';
import type { Transactions } from '@castiron/transactions';
import type { MailText } from '../../mail/mail-text.js';
import { insertMailing } from '../mailing.table.js';

/** Orders a mailing to all who may be mailed (P16). Its mails are written a step at a time, see `write-mailings.ts`. */
export class SendMailingUseCase {
  constructor(private readonly transactions: Transactions) {}

  send(words: MailText, orderedBy: string): Promise<{ mailing: string }> {
    const mailing = randomUUID();
    return this.transactions.run([], async (tx) => {
      await insertMailing(tx.manager, { ...words, id: mailing, orderedBy, createdAt: new Date() });
      return { mailing };
    });
  }
}

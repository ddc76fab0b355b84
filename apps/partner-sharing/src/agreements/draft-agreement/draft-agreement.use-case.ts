import { randomUUID } from 'node:crypto';
import { agreementChanged } from '@castiron/contracts';
import { valueOf } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import type { EntityManager } from 'typeorm';
import { orderOfAgreement } from '../../publications.js';
import { findRecipient } from '../../recipients/recipient.table.js';
import { agreementOf, type Agreement } from '../agreement.table.js';
import { decideDraft, type Terms } from './draft-agreement.decision.js';

export class DraftAgreementUseCase {
  constructor(private readonly transactions: Transactions) {}

  /**
   * @param remember keeps the answer in the transaction of its effect
   * @throws Refused invalid, naming the field of the terms and the promise
   */
  draft(
    recipient: string,
    terms: Terms,
    remember: (manager: EntityManager, drafted: Agreement) => Promise<void> = async () => {},
  ): Promise<Agreement> {
    const id = randomUUID();
    return this.transactions.run([orderOfAgreement(id)], async (tx) => {
      const known = await findRecipient(tx.manager, recipient);
      const now = new Date();
      const drafted = valueOf(decideDraft(known, terms, now));
      await tx.manager.query(
        `INSERT INTO agreements (id, recipient, state, purposes, highest_tier, valid_from, valid_until, days_to_delete)
         VALUES ($1, $2, 'drafted', $3, $4, $5, $6, $7)`,
        [
          id,
          recipient,
          JSON.stringify(drafted.purposes),
          drafted.highestTier,
          drafted.from,
          drafted.until,
          drafted.daysToDelete,
        ],
      );
      tx.publish(agreementChanged, { agreement: id, recipient, state: 'drafted', epoch: 0, at: now.toISOString() });
      const agreement = await agreementOf(tx.manager, id);
      await remember(tx.manager, agreement);
      return agreement;
    });
  }
}

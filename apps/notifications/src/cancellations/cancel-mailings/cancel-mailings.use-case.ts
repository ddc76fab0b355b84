import { setTimeout as pause } from 'node:timers/promises';
import { Refused } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { SURELY_OVER_S } from '../../mail/mail-worker.js';
import { cancelQueuedMailings, isMailingUnderWay } from '../../mail/mail.table.js';
import { orderOfCancellation, orderOfSubject, publications } from '../../publications.js';
import type { CancellationLinks } from '../cancellation-links.js';
import { putCancellation } from '../cancellation.table.js';

const LOOK_EVERY_MS = 50;

/** Stops all mailings to a subject (P16): ours with the answer, the partners' through partner-sharing. */
export class CancelMailingsUseCase {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly links: CancellationLinks,
  ) {}

  /** @throws Refused not-found where we did not make the token */
  subjectOf(token: string): string {
    const subject = this.links.subjectOf(token);
    if (subject === undefined) {
      throw new Refused({
        kind: 'not-found',
        code: 'unknown-link',
        detail: 'This is no cancellation link of ours.',
        promise: 'P16',
      });
    }
    return subject;
  }

  /**
   * Resolves when no mailing to the subject can leave any more. Done again it is told again: the customer may have permitted
   * mailings since, of which we have not heard.
   * @throws NoRoom where the outbox is full and it is done again within a minute: of its reserved room one link takes no more
   */
  async cancel(token: string): Promise<void> {
    const subject = this.subjectOf(token);
    await this.transactions.run([orderOfSubject(subject), orderOfCancellation(subject)], async (tx) => {
      const { at, isRepeated } = await putCancellation(tx.manager, subject);
      await cancelQueuedMailings(tx.manager, subject);
      tx.publish(publications.mailingCancelled, { subject, at: at.toISOString() }, { reserved: !isRepeated });
    });
    await this.untilNothingIsUnderWay(subject);
  }

  /** A worker commits its claim and then looks for a cancellation; so it saw ours, or we see its claim here. */
  private async untilNothingIsUnderWay(subject: string): Promise<void> {
    while (await isMailingUnderWay(this.dataSource.manager, subject, SURELY_OVER_S)) await pause(LOOK_EVERY_MS);
  }
}

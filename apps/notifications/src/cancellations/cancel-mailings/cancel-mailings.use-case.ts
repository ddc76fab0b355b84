import { setTimeout as pause } from 'node:timers/promises';
import { NoRoom, Refused } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { SURELY_OVER_S } from '../../mail/mail-worker.js';
import { cancelQueuedMailings, isMailingUnderWay } from '../../mail/mail.table.js';
import { orderOfCancellation, orderOfSubject, publications } from '../../publications.js';
import type { CancellationLinks } from '../cancellation-links.js';
import { putCancellation } from '../cancellation.table.js';

const LOOK_EVERY_MS = 50;

/** Stops all mailings of ours to a subject (P16) with the answer, and tells partner-sharing, which takes the permission back. */
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
   * mailings since, of which we have not heard. Only where the outbox is full, and one is of the last minute, it is told of
   * once there is room: there is to be no end of events that one link can make.
   */
  async cancel(token: string): Promise<void> {
    const subject = this.subjectOf(token);
    let isRepeated = false;
    const told = this.transactions.run([orderOfSubject(subject), orderOfCancellation(subject)], async (tx) => {
      const cancellation = await putCancellation(tx.manager, subject, true);
      isRepeated = cancellation.isRepeated;
      await cancelQueuedMailings(tx.manager, subject);
      tx.publish(
        publications.mailingCancelled,
        { subject, at: cancellation.at.toISOString() },
        { reserved: !isRepeated },
      );
    });
    await told.catch(async (error: unknown) => {
      if (!(error instanceof NoRoom) || !isRepeated) throw error;
      await this.transactions.run([orderOfSubject(subject)], async ({ manager }) => {
        await putCancellation(manager, subject, false);
        await cancelQueuedMailings(manager, subject);
      });
    });
    await this.untilNothingIsUnderWay(subject);
  }

  /** A worker commits its claim and then looks for a cancellation; so it saw ours, or we see its claim here. */
  private async untilNothingIsUnderWay(subject: string): Promise<void> {
    while (await isMailingUnderWay(this.dataSource.manager, subject, SURELY_OVER_S)) await pause(LOOK_EVERY_MS);
  }
}

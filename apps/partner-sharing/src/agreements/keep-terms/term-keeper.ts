import { Refused } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { lockAudience } from '../../recipients/recipient.table.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { agreementOf } from '../agreement.table.js';
import { ordersOfAgreement, startSharing } from '../enter-into-force.js';
import type { TerminateAgreementUseCase } from '../terminate-agreement/terminate-agreement.use-case.js';

interface Due {
  readonly id: string;
  readonly recipient: string;
  readonly over: boolean;
}

/**
 * Starts and ends agreements with their terms. The decision looks at the clock by itself: nothing goes outside a term
 * even where this is late; what it does is to have the feeds told.
 */
export class TermKeeper {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly termination: Pick<TerminateAgreementUseCase, 'terminate'>,
    private readonly signals: ReleaseSignals,
    /** Hears of an agreement that could not be kept; the next round tries it again. */
    private readonly onFailure: (agreement: string, error: unknown) => void,
  ) {}

  async keep(): Promise<void> {
    const due: Due[] = await this.dataSource.query(
      `SELECT id, recipient, valid_until <= clock_timestamp() AS over FROM agreements WHERE state = 'in-force'
       AND (valid_until <= clock_timestamp() OR (NOT started AND valid_from <= clock_timestamp()))`,
    );
    for (const agreement of due) {
      try {
        if (agreement.over) await this.termination.terminate(agreement.id, 'The term is over.');
        else await this.start(agreement);
      } catch (error) {
        // Refused: somebody ended it meanwhile.
        if (!(error instanceof Refused)) this.onFailure(agreement.id, error);
      }
    }
  }

  private start({ id, recipient }: Due): Promise<void> {
    return this.transactions.run(ordersOfAgreement(id, recipient), async (tx) => {
      await lockAudience(tx.manager, 'exclusive');
      const agreement = await agreementOf(tx.manager, id);
      // Another process may have been quicker.
      const waiting: unknown[] = await tx.manager.query(
        `SELECT 1 FROM agreements WHERE id = $1 AND state = 'in-force' AND NOT started`,
        [id],
      );
      if (waiting.length > 0) await startSharing(tx.manager, agreement);
      tx.afterCommit(() => this.signals.tell('sweep'));
    });
  }
}

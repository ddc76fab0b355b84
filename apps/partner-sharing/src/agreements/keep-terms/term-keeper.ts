import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { agreementOf } from '../agreement.table.js';
import { startSharing } from '../enter-into-force.js';
import type { TerminateAgreementUseCase } from '../terminate-agreement/terminate-agreement.use-case.js';

/**
 * Starts and ends agreements with their terms. The decision looks at the clock by itself: nothing goes outside a term
 * even where this is late; what it does is to have the feeds told.
 */
export class TermKeeper {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly termination: TerminateAgreementUseCase,
    private readonly signals: ReleaseSignals,
  ) {}

  async keep(): Promise<void> {
    const due: { id: string; over: boolean }[] = await this.dataSource.query(
      `SELECT id, valid_until <= clock_timestamp() AS over FROM agreements WHERE state = 'in-force'
       AND (valid_until <= clock_timestamp() OR (NOT started AND valid_from <= clock_timestamp()))`,
    );
    for (const { id, over } of due) {
      if (over) await this.termination.terminate(id, 'The term is over.');
      else await this.start(id);
    }
  }

  private start(id: string): Promise<void> {
    return this.transactions.run([], async (tx) => {
      const agreement = await agreementOf(tx.manager, id, 'FOR UPDATE');
      if (agreement.state === 'in-force') await startSharing(tx, agreement);
      tx.afterCommit(() => this.signals.tell('sweep'));
    });
  }
}

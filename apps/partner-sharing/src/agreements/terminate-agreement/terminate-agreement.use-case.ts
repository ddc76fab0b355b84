import { valueOf } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { addCommand, type Command } from '../../commands/command.table.js';
import { raiseEpoch } from '../../epochs/epoch-locks.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { addSweep } from '../../sweeps/sweep.table.js';
import { agreementOf } from '../agreement.table.js';
import { notFrom } from '../agreement-states.js';
import { announceAgreement, ordersOfAgreement } from '../enter-into-force.js';

/** Ends an agreement by one epoch, however many customers it covers; their withdrawals follow in the background. */
export class TerminateAgreementUseCase {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly signals: ReleaseSignals,
  ) {}

  /**
   * @returns what to wait for before it can be said that nothing of the agreement goes any more (G2)
   * @throws Refused conflict where the agreement is not in force
   */
  async terminate(id: string, reason: string): Promise<Command> {
    const { recipient } = await agreementOf(this.dataSource.manager, id);
    return this.transactions.run(ordersOfAgreement(id, recipient), async (tx) => {
      const agreement = await agreementOf(tx.manager, id);
      if (agreement.state !== 'in-force')
        valueOf(notFrom(agreement.state, 'Only an agreement in force can be terminated.'));
      const epoch = await raiseEpoch(tx.manager, 'agreement', id);
      const now = new Date();
      await tx.manager.query(
        `UPDATE agreements SET state = 'terminated', terminated_at = $2, termination_reason = $3 WHERE id = $1`,
        [id, now, reason],
      );
      await addSweep(tx.manager, { kind: 'renew-shares', recipient, cause: 'agreement-terminated' });
      announceAgreement(tx, agreement, 'terminated', epoch, now);
      tx.afterCommit(() => this.signals.tell('sweep'));
      return addCommand(tx.manager, {
        kind: 'agreement-termination',
        customer: null,
        scope: 'agreement',
        target: id,
        epoch,
      });
    });
  }
}

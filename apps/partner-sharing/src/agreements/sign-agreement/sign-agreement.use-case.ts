import { Refused, valueOf } from '@castiron/failures';
import type { Transactions, Tx } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { raiseEpoch } from '../../epochs/epoch-locks.js';
import { assertProvisioned, lockAudience, recipientOf } from '../../recipients/recipient.table.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { agreementOf, type Agreement, type Side } from '../agreement.table.js';
import { announceAgreement, ordersOfAgreement, startSharing } from '../enter-into-force.js';
import { decideSigning, type Signer } from './sign-agreement.decision.js';

export interface NewSignature {
  readonly side: Side;
  readonly name: string;
  readonly role: string;
}

/** Signs for one side; with both signatures the agreement is in force. */
export class SignAgreementUseCase {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly signals: ReleaseSignals,
  ) {}

  /**
   * @throws Refused forbidden for the other side; conflict where it cannot be signed, another agreement is in force, or the
   *   recipient's topics are missing
   */
  async sign(id: string, { side, name, role }: NewSignature, signer: Signer): Promise<Agreement> {
    // An agreement's recipient never changes, so it may be read before the keys made of it are locked.
    const { recipient } = await agreementOf(this.dataSource.manager, id);
    return this.transactions.run(ordersOfAgreement(id, recipient), async (tx) => {
      const agreement = await agreementOf(tx.manager, id);
      const now = new Date();
      const signing = valueOf(decideSigning(agreement, side, signer, now));
      if (signing === 'repeated') return agreement;
      await tx.manager.query(`UPDATE agreements SET ${side}_signature = $2 WHERE id = $1`, [
        id,
        JSON.stringify({ name, role, by: signer.sub, at: now.toISOString() }),
      ]);
      if (signing === 'completes') await this.enter(tx, agreement, now);
      return agreementOf(tx.manager, id);
    });
  }

  private async enter(tx: Tx, agreement: Agreement, now: Date): Promise<void> {
    const { manager } = tx;
    // What it is told would wait for a topic that nobody makes, and hold up what others are told.
    assertProvisioned(await recipientOf(manager, agreement.recipient), 'recipient');
    // Before the epoch, as everywhere; it also keeps two agreements from entering at once.
    await lockAudience(manager, 'exclusive');
    const others: { id: string }[] = await manager.query(
      `SELECT id FROM agreements WHERE recipient = $1 AND state = 'in-force'`,
      [agreement.recipient],
    );
    const [other] = others;
    if (other !== undefined) {
      const detail = 'Another agreement is in force for this recipient: terminate it first.';
      throw new Refused({
        kind: 'conflict',
        code: 'another-in-force',
        detail,
        field: 'recipient',
        promise: 'P8',
        agreement: other.id,
      });
    }
    const epoch = await raiseEpoch(manager, 'agreement', agreement.id);
    await manager.query(`UPDATE agreements SET state = 'in-force', entered_at = $2 WHERE id = $1`, [agreement.id, now]);
    // One whose term begins later is started by the term keeper.
    if (agreement.from <= now) await startSharing(manager, agreement);
    announceAgreement(tx, agreement, 'in-force', epoch, now);
    tx.afterCommit(() => this.signals.tell('sweep'));
  }
}

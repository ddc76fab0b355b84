import { Refused } from '@castiron/failures';
import type { Transactions, Tx } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { agreementOf, type Agreement, type Side } from '../agreement.table.js';
import { announceAgreement, ordersOfAgreement, startSharing } from '../enter-into-force.js';

export interface Signing {
  readonly side: Side;
  readonly name: string;
  readonly role: string;
  /** The account that signs. */
  readonly by: string;
}

const conflict = (code: string, detail: string): Refused => new Refused({ kind: 'conflict', code, detail, promise: 'P8' });

/** Signs for one side; with both signatures the agreement is in force. */
export class SignAgreementUseCase {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly signals: ReleaseSignals,
  ) {}

  async sign(id: string, signing: Signing): Promise<Agreement> {
    const { recipient } = await agreementOf(this.dataSource.manager, id);
    return this.transactions.run(ordersOfAgreement(id, recipient), async (tx) => {
      const agreement = await agreementOf(tx.manager, id, 'FOR UPDATE');
      if (agreement.state !== 'drafted') throw conflict('agreement-not-drafted', 'Only a draft can be signed.');
      if (agreement.signatures[signing.side] !== undefined) throw conflict('already-signed', 'This side has signed already.');
      const now = new Date();
      const { side, ...signature } = signing;
      await tx.manager.query(`UPDATE agreements SET ${side}_signature = $2 WHERE id = $1`, [
        id,
        JSON.stringify({ ...signature, at: now.toISOString() }),
      ]);
      const signed = await agreementOf(tx.manager, id);
      if (signed.signatures.company !== undefined && signed.signatures.partner !== undefined) await this.enter(tx, signed, now);
      return agreementOf(tx.manager, id);
    });
  }

  private async enter(tx: Tx, agreement: Agreement, now: Date): Promise<void> {
    if (agreement.until <= now) throw conflict('term-over', 'The term of this agreement is over.');
    // At most one in force: two signings that race meet at the unique index.
    const others: unknown[] = await tx.manager.query(
      `SELECT 1 FROM agreements WHERE recipient = $1 AND state = 'in-force' AND id <> $2`,
      [agreement.recipient, agreement.id],
    );
    if (others.length > 0) throw conflict('another-in-force', 'Terminate the agreement that is in force first.');
    await tx.manager.query(`UPDATE agreements SET state = 'in-force', entered_at = $2 WHERE id = $1`, [agreement.id, now]);
    if (agreement.from <= now) await startSharing(tx, agreement);
    announceAgreement(tx, agreement, 'in-force', BigInt(agreement.epoch), now);
    tx.afterCommit(() => this.signals.tell('sweep'));
  }
}

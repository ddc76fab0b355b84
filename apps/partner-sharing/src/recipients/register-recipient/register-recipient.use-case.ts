import { Refused, valueOf } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { addSweep } from '../../sweeps/sweep.table.js';
import type { Provisioning } from '../provisioning.js';
import { addRecipient, lockAudience, markProvisioned, recipientOf, type Recipient } from '../recipient.table.js';
import { decideRegistration, type Registered, type Registration } from './register-recipient.decision.js';

/** The same registration again is fine: it makes good what provisioning a former one could not finish. */
const isSame = (known: Recipient, wanted: Registered): boolean =>
  known.name === wanted.name &&
  known.kind === wanted.kind &&
  JSON.stringify(plain(known.purposes)) === JSON.stringify(plain(wanted.purposes));

const plain = (purposes: Registered['purposes']): unknown =>
  purposes?.map(({ purpose, attributes }) => [purpose, [...attributes].sort()]) ?? null;

export class RegisterRecipientUseCase {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: Transactions,
    private readonly provisioning: Provisioning,
    private readonly signals: ReleaseSignals,
    /** Replies of a new recipient are to be read from now on. */
    private readonly onRecipient: (slug: string) => Promise<void>,
  ) {}

  /** @throws Refused conflict where another recipient has the slug; unavailable where the broker is away */
  async register(registration: Registration): Promise<Recipient> {
    const wanted = valueOf(decideRegistration(registration));
    await this.transactions.run([], async (tx) => {
      const { manager } = tx;
      if (wanted.kind === 'internal') await lockAudience(manager, 'exclusive');
      if (!(await addRecipient(manager, wanted))) return this.mustBeSame(await recipientOf(manager, wanted.slug), wanted);
      if (wanted.kind !== 'internal') return;
      await addSweep(manager, { kind: 'make-shares', recipient: wanted.slug, cause: 'recipient-registered' });
      tx.afterCommit(() => this.signals.tell('sweep'));
    });
    await this.provision(wanted.slug);
    return recipientOf(this.dataSource.manager, wanted.slug);
  }

  /** Topics and rights stand before anything can be sent. */
  private async provision(slug: string): Promise<void> {
    try {
      await this.provisioning.prepare(slug);
    } catch (error) {
      throw Object.assign(
        new Refused({ kind: 'unavailable', code: 'broker-unavailable', detail: 'The broker could not be prepared. Register again.' }),
        { cause: error },
      );
    }
    await markProvisioned(this.dataSource.manager, slug);
    await this.onRecipient(slug);
  }

  private mustBeSame(known: Recipient, wanted: Registered): void {
    if (isSame(known, wanted) && !known.provisioned) return;
    throw new Refused({ kind: 'conflict', code: 'recipient-exists', detail: 'There is a recipient with this slug.', field: 'slug' });
  }
}

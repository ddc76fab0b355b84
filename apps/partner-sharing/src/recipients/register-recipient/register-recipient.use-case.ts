import { Refused, valueOf } from '@castiron/failures';
import type { DataSource } from 'typeorm';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { addSweep } from '../../sweeps/sweep.table.js';
import { brokerUnavailable, type Provisioning } from '../provisioning.js';
import { addRecipient, lockAudience, markProvisioned, recipientOf, type Recipient } from '../recipient.table.js';
import { decideRegistration, type Registered, type Registration } from './register-recipient.decision.js';

const plain = (purposes: Registered['purposes']): unknown =>
  purposes?.map(({ purpose, attributes }) => [purpose, [...attributes].sort()]) ?? null;

/** The same registration again is fine: it makes good what provisioning a former one could not finish. */
const isSame = (known: Recipient, wanted: Registered): boolean =>
  known.name === wanted.name &&
  known.kind === wanted.kind &&
  JSON.stringify(plain(known.purposes)) === JSON.stringify(plain(wanted.purposes));

/**
 * Registers a recipient: its row is committed first, then its place on the broker is made, for a broker cannot take part
 * in a transaction. A registration whose provisioning failed is repeated until it succeeds.
 */
export class RegisterRecipientUseCase {
  constructor(
    private readonly dataSource: DataSource,
    private readonly provisioning: Provisioning,
    private readonly signals: ReleaseSignals,
    /** Replies of a new recipient are to be read from now on. */
    private readonly onRecipient: (slug: string) => Promise<void>,
  ) {}

  /** @throws Refused invalid; conflict where another recipient has the slug; unavailable where the broker is away */
  async register(registration: Registration): Promise<Recipient> {
    const wanted = valueOf(decideRegistration(registration));
    // Not among the transactions that mark an Idempotency-Key: after a 503 the same request must be carried out again.
    await this.dataSource.transaction('READ COMMITTED', async (manager) => {
      if (wanted.kind === 'internal') await lockAudience(manager, 'exclusive');
      if (!(await addRecipient(manager, wanted)))
        return this.mustBeUnfinished(await recipientOf(manager, wanted.slug), wanted);
      if (wanted.kind !== 'internal') return;
      await addSweep(manager, { kind: 'make-shares', recipient: wanted.slug, cause: 'recipient-registered' });
    });
    await this.provision(wanted.slug);
    this.signals.tell('sweep');
    return recipientOf(this.dataSource.manager, wanted.slug);
  }

  /** Topics and rights stand before anything can be sent. */
  private async provision(slug: string): Promise<void> {
    await this.provisioning.prepare(slug).catch((error: unknown) => {
      throw brokerUnavailable('The broker could not be prepared. Register again.', error);
    });
    await this.onRecipient(slug);
    await markProvisioned(this.dataSource.manager, slug);
  }

  private mustBeUnfinished(known: Recipient, wanted: Registered): void {
    if (isSame(known, wanted) && !known.provisioned) return;
    throw new Refused({
      kind: 'conflict',
      code: 'recipient-exists',
      detail: 'There is a recipient with this slug.',
      field: 'slug',
    });
  }
}

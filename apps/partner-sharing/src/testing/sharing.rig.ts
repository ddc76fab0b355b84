import { randomUUID } from 'node:crypto';
import {
  customerErased,
  decodeMessage,
  FEED_TICK_TYPE,
  feedRecord,
  mailingCancelled,
  newEventId,
  profileChanged,
  topicOf,
  topicsOfRecipient,
  typeOf,
  type DataOf,
  type DoorName,
} from '@castiron/contracts';
import { attributeAad, newKey, seal, type CustomerKeys } from '@castiron/encryption';
import { connect, readAll, type Kafka } from '@castiron/kafka';
import { createLogger } from '@castiron/observability';
import { appendToOutbox, outboxMigrations } from '@castiron/outbox';
import { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import type { Terms } from '../agreements/draft-agreement/draft-agreement.decision.js';
import { DraftAgreementUseCase } from '../agreements/draft-agreement/draft-agreement.use-case.js';
import { SignAgreementUseCase } from '../agreements/sign-agreement/sign-agreement.use-case.js';
import { TerminateAgreementUseCase } from '../agreements/terminate-agreement/terminate-agreement.use-case.js';
import { migrations } from '../database/migrations.js';
import { Fence } from '../fence/fence.js';
import { revokeMailingWhenMailingCancelled } from '../mailings/revoke-mailing-when-mailing-cancelled.handler.js';
import { ChangeObjectionUseCase } from '../objections/change-objection.use-case.js';
import { GrantPermissionUseCase } from '../permissions/grant-permission/grant-permission.use-case.js';
import { RevokePermissionUseCase } from '../permissions/revoke-permission/revoke-permission.use-case.js';
import { eraseWhenCustomerErased } from '../profiles/keep-profiles/erase-when-customer-erased.handler.js';
import { KeepProfileWhenProfileChanged } from '../profiles/keep-profiles/keep-profile-when-profile-changed.handler.js';
import { publications } from '../publications.js';
import { KafkaProvisioning } from '../recipients/provisioning.js';
import { RegisterRecipientUseCase } from '../recipients/register-recipient/register-recipient.use-case.js';
import type { LaneParts } from '../release/lane-worker.js';
import { Releaser } from '../release/releaser.js';
import { ReleaseSignals } from '../release/release-signals.js';
import { addStatement } from '../statements/statement.table.js';
import { Sweeper } from '../sweeps/run-sweeps/sweeper.js';

type Profile = DataOf<typeof profileChanged>;
export type FeedValue = DataOf<typeof feedRecord> | null;

export interface FeedRecord {
  readonly subject: string;
  readonly id: string;
  /** The ledger entry that its header names. */
  readonly entry: string | undefined;
  readonly record: FeedValue;
}

const PURPOSES: Readonly<Record<'service-order' | 'subscription', readonly Profile['purposes'][number][]>> = {
  'service-order': ['invoicing', 'service-delivery', 'security', 'notices'],
  subscription: ['mailing', 'notices'],
};

/** What the database of a spec holds. */
export const sharingMigrations = [...migrations, ...outboxMigrations];

/** What a customer of the specs gave. */
export const ACME = {
  companyName: 'Acme',
  registeredAddress: '1 Road',
  servicesUsed: 'web',
  email: 'a@acme.example',
  domainNames: 'acme.example',
};

/** Where the broker is, and as whom it can be asked. */
interface Broker {
  readonly bootstrap: string;
  readonly principals: Readonly<Record<string, { readonly username: string; readonly password: string }>>;
}

/** The service below its routes, on a database of the spec's own and the stack's broker: what the specs of sharing do to it. */
export class SharingRig {
  readonly signals = new ReleaseSignals();
  readonly transactions: Transactions;
  /** Set where key custody is to be away. */
  custodyAway = false;
  /** Set where whatever publishes an event is to fail. */
  outboxFails = false;
  releaser: Releaser;
  private readonly run = randomUUID();
  private readonly sweeper: Sweeper;
  private readonly keys = new Map<string, CustomerKeys>();
  private readonly logger = createLogger('partner-sharing', 'error');

  /** @param name tells spec files apart that share a broker: none is to shut out the lanes of another */
  constructor(
    readonly database: DataSource,
    private readonly broker: Broker,
    private readonly name: string,
  ) {
    const append: typeof appendToOutbox = (events) => {
      if (this.outboxFails) throw new Error('away');
      return appendToOutbox(events);
    };
    this.transactions = new Transactions(database, { append, wake: () => {} }, publications);
    this.releaser = this.lanes();
    this.sweeper = new Sweeper(this.transactions, this.signals, this.logger);
  }

  /** A rig that releases, for customers who know the statement. */
  static async started(...parts: ConstructorParameters<typeof SharingRig>): Promise<SharingRig> {
    const rig = new SharingRig(...parts);
    await rig.publishStatement();
    await rig.start();
    return rig;
  }

  private kafkaOf(principal: string): Kafka {
    const known = this.broker.principals[principal];
    if (known === undefined) throw new Error(`the stack has no principal ${principal}`);
    const { username, password } = known;
    return connect({ brokers: [this.broker.bootstrap], clientId: `${this.name}-${principal}`, username, password });
  }

  async start(): Promise<void> {
    await this.releaser.start();
    await this.sweeper.start();
  }

  async stop(): Promise<void> {
    await this.sweeper.stop();
    await this.releaser.stop();
  }

  /** And of its database. */
  async end(): Promise<void> {
    await this.stop();
    await this.database.destroy();
  }

  get laneParts(): LaneParts {
    const keysOf = (customers: readonly string[]): Promise<Map<string, CustomerKeys>> =>
      this.custodyAway
        ? Promise.reject(new Error('away'))
        : Promise.resolve(
            new Map(
              customers.flatMap((one) => {
                const own = this.keys.get(one);
                return own === undefined ? [] : [[one, own] as const];
              }),
            ),
          );
    const kafka = this.kafkaOf('admin');
    return {
      dataSource: this.database,
      transactions: this.transactions,
      kafka,
      keys: { keysOf },
      signals: this.signals,
      logger: this.logger,
      // Of this run: whoever runs the same spec on the same broker is not to be shut out.
      producerName: (lane) => `${this.name}-${this.run}-${lane}`,
    };
  }

  /** A further owner of lanes. */
  lanes(): Releaser {
    return new Releaser(this.laneParts);
  }

  /** The first version of the statement is published, on which what the specs permit rests. */
  publishStatement(): Promise<void> {
    return addStatement(this.database.manager, 1);
  }

  async register(registration: Parameters<RegisterRecipientUseCase['register']>[0]): Promise<void> {
    const provisioning = new KafkaProvisioning(this.kafkaOf('provisioner'));
    const watch = (): Promise<void> => Promise.resolve();
    await new RegisterRecipientUseCase(this.database, provisioning, this.signals, watch).register(registration);
  }

  /** notifications, with what it needs to write mail. */
  registerNotifier(): Promise<void> {
    return this.register({
      slug: 'notifications',
      name: 'Notifications',
      kind: 'internal',
      purposes: [
        { purpose: 'notices', attributes: ['email', 'companyName'] },
        { purpose: 'mailing', attributes: ['email'] },
      ],
    });
  }

  /** A member of the network, with an agreement in force. @returns its slug */
  async partner(slug: string, purposes: Terms['purposes'], rest: Partial<Terms> = {}): Promise<string> {
    await this.register({ slug, name: 'Northern Hosting', kind: 'network-member' });
    await this.agree(slug, purposes, rest);
    return slug;
  }

  /** An agreement that nobody has signed yet, with its id. */
  async draft(recipient: string, purposes: Terms['purposes'], rest: Partial<Terms> = {}): Promise<string> {
    const from = new Date(Date.now() - 60_000);
    const until = new Date(Date.now() + 3_600_000);
    const terms: Terms = { purposes, highestTier: 'confidential', from, until, ...rest };
    const { id } = await new DraftAgreementUseCase(this.transactions).draft(recipient, terms);
    return id;
  }

  /** An agreement that both sides have signed, with its id. */
  async agree(recipient: string, purposes: Terms['purposes'], rest: Partial<Terms> = {}): Promise<string> {
    const id = await this.draft(recipient, purposes, rest);
    const agreements = new SignAgreementUseCase(this.database, this.transactions, this.signals);
    const officer = { sub: 'officer-1', isPrivacyOfficer: true, isPartner: false };
    await agreements.sign(id, { side: 'company', name: 'Olga', role: 'officer' }, officer);
    const partner = { sub: recipient, isPrivacyOfficer: false, isPartner: true };
    await agreements.sign(id, { side: 'partner', name: 'Pat', role: 'director' }, partner);
    return id;
  }

  /** A customer's profile arrives, at this version. */
  profile(
    customer: string,
    version: number,
    values: Readonly<Record<string, string>>,
    door: DoorName & keyof typeof PURPOSES = 'service-order',
    withdrawal?: string,
  ): Promise<void> {
    const own = this.keys.get(customer) ?? { dataKey: newKey(), ledgerKey: newKey() };
    this.keys.set(customer, own);
    const sealed = (name: string, value: string): string =>
      seal(own.dataKey, value, attributeAad(customer, name, version)).toString('base64');
    return this.arrive(customer, {
      customer,
      version,
      door,
      purposes: [...PURPOSES[door]],
      origin: 'registered',
      statementVersion: 1,
      registeredAt: new Date().toISOString(),
      attributes: Object.fromEntries(
        Object.entries(values).map(([name, value]) => [name, { version, sealed: sealed(name, value) }]),
      ),
      ...(withdrawal !== undefined && { withdrawal }),
    });
  }

  /** customer-profiles tells that a customer was erased. @returns its command */
  async erase(customer: string): Promise<string> {
    const command = randomUUID();
    const event = {
      contract: customerErased,
      topic: topicOf(customerErased).name,
      key: customer,
      data: { customer, command, at: new Date().toISOString() },
      meta: { id: newEventId(), time: new Date() },
    };
    const handle = eraseWhenCustomerErased(this.signals, () => undefined);
    await this.transactions.run([], (tx) => handle([event], tx));
    return command;
  }

  /** Set where a profile that was handled is not to be committed before this resolves. */
  holdProfile: (() => Promise<void>) | undefined;

  private arrive(customer: string, data: Profile): Promise<void> {
    const handler = new KeepProfileWhenProfileChanged(this.signals, () => undefined);
    const event = {
      contract: profileChanged,
      topic: 'customers.profiles.v1',
      key: customer,
      data,
      meta: { id: newEventId(), time: new Date() },
    };
    return this.transactions.run([`sharing.permissions.v1/${customer}/notifications/mailing`], async (tx) => {
      await handler.handle([event], tx);
      await this.holdProfile?.();
    });
  }

  async permit(customer: string, recipient: string, purpose = 'recommendation'): Promise<void> {
    const evidence = { how: 'portal', givenAt: new Date(), statementVersion: 1 };
    await new GrantPermissionUseCase(this.transactions, this.signals).grant({ customer, recipient, purpose }, evidence);
  }

  /** Whether the fence stood in time. */
  async revoke(customer: string, recipient: string, purpose = 'recommendation'): Promise<boolean> {
    const permissions = new RevokePermissionUseCase(this.transactions, this.signals);
    const { command } = await permissions.revoke({ customer, recipient, purpose });
    return new Fence(this.database, this.signals).wait(command);
  }

  /** Whether the fence stood in time. */
  async object(customer: string, recipient: string, purpose: string): Promise<boolean> {
    const objections = new ChangeObjectionUseCase(this.transactions, this.signals);
    const { command } = await objections.object({ customer, recipient, purpose });
    return new Fence(this.database, this.signals).wait(command);
  }

  async withdrawObjection(customer: string, recipient: string, purpose: string): Promise<void> {
    await new ChangeObjectionUseCase(this.transactions, this.signals).withdraw({ customer, recipient, purpose });
  }

  /** notifications tells that these customers cancelled their mailings. */
  async cancelMailings(customers: readonly string[], at = new Date()): Promise<void> {
    const subjects = await Promise.all(
      customers.map(async (one) => (await this.shareOf(one, 'notifications'))?.subject),
    );
    const events = subjects.map((subject = '') => ({
      contract: mailingCancelled,
      topic: topicOf(mailingCancelled).name,
      key: subject,
      data: { subject, at: at.toISOString() },
      meta: { id: newEventId(), time: new Date() },
    }));
    await this.transactions.run([], (tx) => revokeMailingWhenMailingCancelled(this.signals)(events, tx));
  }

  /** Whether the fence stood in time. */
  async terminate(agreement: string): Promise<boolean> {
    const agreements = new TerminateAgreementUseCase(this.database, this.transactions, this.signals);
    return new Fence(this.database, this.signals).wait(await agreements.terminate(agreement, 'over'));
  }

  async shareOf(
    customer: string,
    recipient: string,
  ): Promise<{ id: string; subject: string; lane: number } | undefined> {
    const rows: { id: string; subject: string; lane: number }[] = await this.database.query(
      'SELECT id, subject, lane FROM shares WHERE customer = $1 AND recipient = $2',
      [customer, recipient],
    );
    return rows[0];
  }

  /** Of the last record that was settled; 0 before the first. */
  async versionOf(customer: string, recipient: string): Promise<number> {
    const rows: { version: number }[] = await this.database.query(
      'SELECT version FROM shares WHERE customer = $1 AND recipient = $2',
      [customer, recipient],
    );
    return rows[0]?.version ?? 0;
  }

  /** Whether no sweep is to ask for more. */
  async hasSwept(): Promise<boolean> {
    const rows: unknown[] = await this.database.query('SELECT FROM sweeps WHERE done_at IS NULL LIMIT 1');
    return rows.length === 0;
  }

  /** Whether nothing waits for its lane and nothing is on its way. */
  async isQuiet(): Promise<boolean> {
    const rows: { quiet: boolean }[] = await this.database.query(
      'SELECT NOT EXISTS (SELECT 1 FROM pending_releases) AND NOT EXISTS (SELECT 1 FROM sending_records) AS quiet',
    );
    return rows[0]?.quiet === true;
  }

  /**
   * The records of a recipient's feed with their keys and ids, in the order of each key; null is a tombstone. Ticks are none.
   * @param of these subjects only: feeds of our own services are shared with specs that put anything there
   */
  async *readFeed(recipient: string, of?: { has(subject: string): boolean }): AsyncGenerator<FeedRecord> {
    for await (const message of readAll(this.kafkaOf('admin'), topicsOfRecipient(recipient).feed.name)) {
      if (typeOf(message) === FEED_TICK_TYPE || of?.has(String(message.key)) === false) continue;
      const decoded = decodeMessage(message, [feedRecord]);
      if (!decoded.ok) throw new Error(decoded.detail);
      const { key, meta, data } = decoded.event;
      // Sound: only feed records were asked for.
      yield { subject: key, id: meta.id, entry: meta.ledgerEntry, record: data as FeedValue };
    }
  }

  /** What the feed carries for a customer, in order. */
  async feedOf(customer: string, recipient: string): Promise<FeedValue[]> {
    const share = await this.shareOf(customer, recipient);
    const found: FeedValue[] = [];
    if (share === undefined) return found;
    for await (const { record } of this.readFeed(recipient, new Set([share.subject]))) found.push(record);
    return found;
  }

  /** What the outbox holds of a type for a recipient, oldest first. */
  async published(type: string, slug: string): Promise<Record<string, unknown>[]> {
    const rows: { payload: Buffer }[] = await this.database.query(
      'SELECT payload FROM outbox WHERE type = $1 AND aggregatetype LIKE $2 ORDER BY id',
      [type, `%.${slug}.%`],
    );
    return rows.map(({ payload }) => JSON.parse(payload.toString()) as Record<string, unknown>);
  }
}

import 'reflect-metadata';
import {
  customerErased,
  decodeMessage,
  fenceStood,
  newEventId,
  profileChanged,
  statementPublished,
  type DataOf,
} from '@castiron/contracts';
import { KeyCustodyClient, newKey } from '@castiron/encryption';
import { createLogger, createMetrics, Health } from '@castiron/observability';
import { appendToOutbox, outboxMigrations } from '@castiron/outbox';
import {
  AnswerStore,
  idempotencyMigrations,
  MarkingTransactions,
  startService,
  type RunningService,
} from '@castiron/service';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { noteFenceWhenFenceStood } from '../commands/note-fence-when-fence-stood.handler.js';
import { CustomerProfilesModule } from '../customer-profiles.module.js';
import { destroyKeysOfErased } from '../erasures/destroy-keys/destroy-keys.js';
import { KeyCustody } from '../key-custody/key-custody.js';
import { migrations } from '../migrations.js';
import { publications } from '../publications.js';
import { loadStatements } from '../statements/load-statements/load-statements.use-case.js';
import { parseStatement } from '../statements/load-statements/statement-file.js';

/** What the customers' database of a spec holds. */
export const databaseMigrations = [...migrations, ...outboxMigrations, ...idempotencyMigrations];

export const statement = parseStatement(1, 'Be told.\nEffective from: 2026-01-01\n');

/** What a customer orders with. */
export const order = {
  companyName: 'Example Ltd',
  servicesUsed: 'dedicated server',
  registeredAddress: '1 Main Street\nSpringfield',
  phone: '555',
};

interface Call {
  readonly method?: string;
  readonly path: string;
  readonly as?: readonly [role: string, sub: string];
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** What the routes under test answer, taken together. */
interface Body {
  readonly code: string;
  readonly customer: string;
  readonly command: string;
  readonly poll: string;
  readonly field: string;
  readonly attributes: Record<string, string>;
  readonly rows: readonly { readonly outcome: string; readonly customer: string }[];
  readonly purposes: { readonly invoicing: { readonly compulsory: readonly string[] } };
}

/** The service over HTTP, without Kafka: what it would publish is read from the outbox. */
export class ProfilesRig {
  private constructor(
    readonly database: DataSource,
    readonly keyStore: DataSource,
    readonly transactions: Transactions,
    private readonly custody: KeyCustody,
    private readonly service: RunningService,
    private readonly tokenOf: (role: string, sub: string) => Promise<string>,
  ) {}

  static async start(parts: {
    database: DataSource;
    keyStore: DataSource;
    oidcIssuer: string;
    tokenOf: (role: string, sub: string) => Promise<string>;
  }): Promise<ProfilesRig> {
    const { database, keyStore, oidcIssuer, tokenOf } = parts;
    const name = 'customer-profiles';
    const outbox = { append: appendToOutbox, wake: () => {} };
    const transactions = new MarkingTransactions(database, outbox, publications);
    await loadStatements(transactions, [statement]);
    const logger = createLogger(name, 'silent');
    const custody = new KeyCustody(keyStore, newKey(), logger);
    const service = await startService({
      name,
      module: CustomerProfilesModule.with({ database, transactions, custody, serviceKey: newKey() }),
      settings: { name, port: 0, host: '127.0.0.1', logLevel: 'silent', oidcIssuer },
      health: new Health(),
      metrics: createMetrics(name),
      logger,
      answers: new AnswerStore(database, newKey()),
    });
    return new ProfilesRig(database, keyStore, transactions, custody, service, tokenOf);
  }

  async stop(): Promise<void> {
    await this.service.stop();
    await Promise.all([this.database.destroy(), this.keyStore.destroy()]);
  }

  async call({ method = 'GET', path, as = ['service', 'portal'], body, headers }: Call) {
    const response = await fetch(`${this.service.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await this.tokenOf(...as)}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === '' ? undefined : JSON.parse(text)) as Body,
    };
  }

  /** @returns the new customer */
  async registered(attributes: Record<string, unknown> = order, door = 'service-order'): Promise<string> {
    const { status, body } = await this.call({ method: 'POST', path: `/registrations/${door}`, body: { attributes } });
    if (status !== 201) throw new Error(`${status} ${body.code}`);
    return body.customer;
  }

  /** What the outbox holds for a key, decoded as its readers would. */
  async published(topic: string, key: string) {
    const rows: { payload: Buffer | string | null; headers: Record<string, string> }[] = await this.database.query(
      `SELECT payload, headers FROM outbox WHERE aggregatetype = $1 AND aggregateid = $2 ORDER BY id`,
      [topic, key],
    );
    return rows.map(({ payload, headers }) => {
      const value =
        typeof payload === 'object' && payload !== null && !Buffer.isBuffer(payload)
          ? JSON.stringify(payload)
          : payload;
      const decoded = decodeMessage({ topic, key, value, headers }, [
        profileChanged,
        customerErased,
        statementPublished,
      ]);
      if (!decoded.ok) throw new Error(`${decoded.reason}: ${decoded.detail}`);
      return decoded.event.data;
    });
  }

  async profilesOf(customer: string) {
    return (await this.published('customers.profiles.v1', customer)) as DataOf<typeof profileChanged>[];
  }

  /** As partner-sharing tells that the fence of a command stands. */
  fenceStands(customer: string, command: string): Promise<void> {
    const event = {
      contract: fenceStood,
      topic: 'sharing.permissions.v1',
      key: `${customer}/fence`,
      data: { customer, command, at: new Date().toISOString() },
      meta: { id: newEventId(), time: new Date() },
    };
    return this.transactions.run([], (tx) => noteFenceWhenFenceStood(event, tx));
  }

  /** As the service does every few seconds. */
  destroyKeys(): Promise<number> {
    return destroyKeysOfErased(this.database, this.custody);
  }

  /** As partner-sharing asks for keys. */
  custodyClient(): KeyCustodyClient {
    return new KeyCustodyClient({ url: this.service.url, token: () => this.tokenOf('service', 'partner-sharing') });
  }
}

import { Module, type DynamicModule, type INestApplicationContext, type Provider, type Type } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readKeyFile } from '@castiron/encryption';
import { Inbox, inboxMigrations, type InboxOptions } from '@castiron/inbox';
import type { Kafka } from '@castiron/kafka';
import { createLogger, createMetrics, Health, type Logger, type Metrics } from '@castiron/observability';
import { outboxMigrations, OutboxRoom, OwnTopics } from '@castiron/outbox';
import { Transactions, type Publications } from '@castiron/transactions';
import { createDataSource, migrated, type Migration } from './database/data-source.js';
import { AnswerStore } from './idempotency/answer-store.js';
import { MarkingTransactions } from './idempotency/marking-transactions.js';
import { idempotencyMigrations } from './idempotency/migration.js';
import { parkedSeal } from './parked/parked-seal.js';
import { parkedModule } from './parked/parked.module.js';
import { every, type Part } from './part.js';
import { kafkaOf } from './relay/kafka-of.js';
import { RelayThread } from './relay/relay-thread.js';
import type { MessagingSettings, ServiceSettings } from './service-settings.js';
import { lastRecovery, recoveryMigrations } from './restore/recoveries.table.js';
import { recoveryModule } from './restore/recovery.controller.js';
import type { Recovery } from './restore/recovery.js';
import { RestoreFence } from './restore/restore-fence.js';
import { RestoreGuard } from './restore/restore-guard.js';
import { startService, type RunningService } from './start-service.js';

/** Everything that a service with a database and Kafka is wired from. */
export interface Wiring<Settings> {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
  readonly dataSource: DataSource;
  readonly kafka: Kafka;
  /** Background work that adds asks it first. */
  readonly room: Pick<OutboxRoom, 'isFull'>;
  readonly transactions: Transactions;
  /** The service's own key, 32 bytes. */
  readonly serviceKey: Buffer;
  /** So many connections for what must not wait behind requests. Whoever takes them connects them, and ends them. */
  readonly apart: (connections: number) => Apart;
}

/** A database's connections that nobody else uses. */
export interface Apart {
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
}

/** What an inbox needs besides the wiring. */
export type InboxPlan = Pick<InboxOptions, 'topics' | 'subscriptions' | 'ignored'> & {
  /** The consumer group; by default the service's name. */
  readonly name?: string;
};

export interface RunOptions<Settings extends ServiceSettings & MessagingSettings> {
  readonly settings: Settings;
  /** The service's own migrations, after which those of outbox, inbox and idempotency are added. */
  readonly migrations: readonly Migration[];
  /** The table of the service's `publications.ts`: publishing anything else fails. */
  readonly publications: Publications;
  /**
   * The service's module, or an arrow function that makes it. Injectable everywhere: `DataSource` and `Transactions`.
   * The rest is in the wiring.
   */
  readonly module: Type | DynamicModule | ((wiring: Wiring<Settings>) => Type | DynamicModule);
  /** What the service reads. Made after the module, so that handlers can be taken from it: `app.get(UseCase)`. */
  readonly inbox?: (app: INestApplicationContext, wiring: Wiring<Settings>) => InboxPlan | Promise<InboxPlan>;
  /** Further parts, started after the relay (or before, `evenFenced`) and before the inbox. `inbox` gives it from their start on, where there is one. */
  readonly parts?: (
    app: INestApplicationContext,
    wiring: Wiring<Settings>,
    inbox: () => Inbox | undefined,
  ) => readonly Part[];
  /**
   * What a database of this service's that was restored from a backup does to catch up with what was told to others (G13).
   * With it the service reads its own topics, for which its principal needs READ; it stands still where they hold what its
   * database does not know.
   */
  readonly recovery?: (wiring: Wiring<Settings>) => Recovery;
  readonly exit?: (code: number) => void;
}

/** Seldom enough to cost nothing; in an hour there would be many, and who is restarted within it would drop none. */
const SWEEP_MS = 60_000;

@Module({})
class WiringModule {}

/** Of the wiring what is injectable everywhere, by class. */
function wiringModule<Settings>(wiring: Wiring<Settings>, imports: (Type | DynamicModule)[]): DynamicModule {
  const providers: (Provider & { provide: unknown })[] = [
    { provide: DataSource, useValue: wiring.dataSource },
    { provide: Transactions, useValue: wiring.transactions },
  ];
  return { module: WiringModule, global: true, imports, providers, exports: [DataSource, Transactions] };
}

/**
 * Runs a service: database with its migrations, Kafka, module and routes, outbox relay, inbox, HTTP; stopped in the
 * opposite order. A service's `main.ts` is its settings, its module, its migrations and its subscriptions in one call.
 */
export async function runService<Settings extends ServiceSettings & MessagingSettings>(
  options: RunOptions<Settings>,
): Promise<RunningService> {
  const { settings } = options;
  const logger = createLogger(settings.name, settings.logLevel);
  const metrics = createMetrics(settings.name);
  const health = new Health();
  const serviceKey = readKeyFile(settings.serviceKeyFile);

  const dataSource = await migrated(
    createDataSource(
      settings.databaseUrl,
      [
        ...options.migrations,
        ...outboxMigrations,
        ...inboxMigrations,
        ...idempotencyMigrations,
        ...(options.recovery === undefined ? [] : recoveryMigrations),
      ],
      logger,
    ),
    logger,
  );
  try {
    const kafka = kafkaOf(settings, logger);
    const relay = new RelayThread(settings, metrics);
    const room = new OutboxRoom({ dataSource, limit: settings.outboxLimit, logger, metrics });
    const outbox = room.before(relay);
    const transactions = new MarkingTransactions(dataSource, outbox, options.publications);
    const answers = new AnswerStore(dataSource, serviceKey);
    const wiring: Wiring<Settings> = {
      settings,
      logger,
      metrics,
      health,
      dataSource,
      kafka,
      room,
      transactions,
      serviceKey,
      apart: (connections) => {
        const own = createDataSource(settings.databaseUrl, [], logger, connections);
        return { dataSource: own, transactions: new Transactions(own, outbox, options.publications) };
      },
    };
    health.addCheck('database', async () => {
      await dataSource.query('SELECT 1');
    });

    const own = isMaker(options.module) ? options.module(wiring) : options.module;
    const held: Held = { inbox: undefined, guard: undefined };
    const fence = options.recovery && new RestoreFence();
    const recovery =
      fence === undefined
        ? []
        : [
            recoveryModule({
              fence,
              guard: () => {
                if (held.guard === undefined) throw new Error('the guard is made before HTTP listens');
                return held.guard;
              },
            }),
          ];
    const parked = options.inbox === undefined ? [] : [parkedModule(() => held.inbox?.parked)];
    return await startService({
      name: settings.name,
      module: wiringModule(wiring, [own, ...parked, ...recovery]),
      settings,
      health,
      metrics,
      logger,
      answers,
      room,
      ...(fence && { fence }),
      parts: (app) => partsOf(options, app, wiring, { answers, held, room, relay, fence }),
      ...(options.exit && { exit: options.exit }),
    });
  } catch (error) {
    if (dataSource.isInitialized) await dataSource.destroy();
    throw error;
  }
}

/** The service's inbox once it is made, after the module and before HTTP listens. */
interface Held {
  inbox: Inbox | undefined;
  guard: RestoreGuard | undefined;
}

/** What runs beside what the service itself is made of, and is none of its business. */
interface OwnParts {
  readonly answers: AnswerStore;
  readonly held: Held;
  readonly room: OutboxRoom;
  readonly relay: RelayThread;
  /** undefined: the service is none that can be restored. */
  readonly fence: RestoreFence | undefined;
}

/** An arrow function, and no class: only a class has a prototype. */
const isMaker = <Made>(
  module: Type | DynamicModule | ((wiring: Made) => Type | DynamicModule),
): module is (wiring: Made) => Type | DynamicModule => typeof module === 'function' && module.prototype === undefined;

function partsOf<Settings extends ServiceSettings & MessagingSettings>(
  options: RunOptions<Settings>,
  app: INestApplicationContext,
  wiring: Wiring<Settings>,
  { answers, held, room, relay, fence }: OwnParts,
): Part[] {
  const { dataSource, logger } = wiring;
  const own = options.parts?.(app, wiring, () => held.inbox) ?? [];
  const sending: Part = { name: 'outbox', start: (onCrash) => relay.start(onCrash), stop: () => relay.stop() };
  // Started last and stopped first: its handlers need all the others.
  const reading: Part = { name: 'inbox', start: async () => held.inbox?.start(), stop: async () => held.inbox?.stop() };
  const evenFenced: Part[] = [
    // First started, so last stopped: everything else still needs it.
    { name: 'database', start: () => Promise.resolve(), stop: () => dataSource.destroy() },
    { name: 'outbox room', start: () => room.start(), stop: () => room.stop() },
    every(
      SWEEP_MS,
      'answers',
      () => answers.sweep(),
      (error) => logger.error({ err: error }, 'old answers were not dropped'),
    ),
    {
      name: 'inbox (made)',
      start: async (onCrash) => {
        if (options.inbox !== undefined) held.inbox = inboxOf(await options.inbox(app, wiring), wiring, fence, onCrash);
      },
      stop: () => Promise.resolve(),
    },
  ];
  if (options.recovery === undefined || fence === undefined) return [...evenFenced, sending, ...own, reading];
  held.guard = new RestoreGuard({
    dataSource,
    topics: new OwnTopics({
      dataSource,
      kafka: wiring.kafka,
      topics: topicsOf(options.publications),
      group: `${wiring.settings.name}.restore-`,
    }),
    fence,
    recovery: options.recovery(wiring),
    behindFence: [sending, ...own.filter((part) => part.evenFenced !== true), reading],
    logger,
    metrics: wiring.metrics,
    health: wiring.health,
  });
  return [...evenFenced, ...own.filter((part) => part.evenFenced === true), held.guard];
}

/** Those that exist once; what goes to one recipient is told along with something on them. */
const topicsOf = (publications: Publications): string[] => [
  ...new Set(Object.values(publications).flatMap(({ topic }) => ('of' in topic ? [] : [topic.name]))),
];

const groupOf = (name: string, recovery: { readonly id: string } | undefined): string =>
  recovery === undefined ? name : `${name}.${recovery.id}`;

function inboxOf<Settings extends ServiceSettings>(
  plan: InboxPlan,
  wiring: Wiring<Settings>,
  fence: RestoreFence | undefined,
  onCrash: (error: Error) => void,
): Inbox {
  const { dataSource, transactions, kafka, serviceKey, logger, metrics, health, settings, room } = wiring;
  const inbox = new Inbox({
    name: settings.name,
    ...plan,
    // Whatever was consumed since the backup was made is read again.
    ...(fence && { group: async () => groupOf(plan.name ?? settings.name, await lastRecovery(dataSource)) }),
    dataSource,
    transactions,
    kafka,
    seal: parkedSeal(serviceKey, settings.name),
    room,
    logger,
    metrics,
    onCrash,
  });
  // Not among what requests need: they are answered while Kafka is away, and what they tell waits in the outbox.
  health.addBackground('inbox', () => {
    if (!inbox.healthy()) throw new Error('not fetching');
  });
  metrics.watch('castiron_inbox_reading', '1 while all topics are read, 0 while Kafka or a topic is away', () =>
    inbox.healthy() ? 1 : 0,
  );
  return inbox;
}

import { DataSource, type MigrationInterface } from 'typeorm';
import type { Logger } from '@castiron/observability';
import { HeardClient } from './heard-client.js';
import { STATEMENT_TIMEOUT_MS } from './patience.js';
import { PatientClient } from './patient-client.js';

/** A migration's class, listed explicitly. */
export type Migration = new () => MigrationInterface;

/** Ends a transaction that was forgotten. */
const IDLE_IN_TRANSACTION_MS = 30_000;
/** How long to wait for a connection: for one to become free, for a new one, or for both. */
const CONNECT_TIMEOUT_MS = 2_000;
/** Transactions at once: what more is asked waits. PostgreSQL writes commits that come together through to its disk together. */
const POOL_SIZE = 20;
/** How soon the database looks whether who asked is still there: a statement that nobody waits for may hold locks. */
const LOOK_FOR_CLIENT_MS = 2_000;

/** Two replicas that start at once must not both migrate: the second waits here. Any constant does. */
const MIGRATION_LOCK = 4_761_537;

/** A DataSource as every service has it; also for further databases, such as the key store. */
export function createDataSource(url: string, migrations: readonly Migration[], logger: Logger): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities: [],
    migrations: [...migrations],
    migrationsTransactionMode: 'each',
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
    poolSize: POOL_SIZE,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    // An idle connection that breaks must not end the process; the pool makes a new one.
    poolErrorHandler: (error: unknown) => logger.warn({ err: error }, 'a database connection broke'),
    extra: {
      Client: PatientClient,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
      options: `-c client_connection_check_interval=${LOOK_FOR_CLIENT_MS}`,
    },
  });
}

/** Connects, and brings the schema up to date under a lock. A migration may take as long as it takes. */
export async function migrated(dataSource: DataSource): Promise<DataSource> {
  await dataSource.initialize();
  // A connection of its own: closing it gives the lock back, whatever happened.
  const { url } = dataSource.options as { url?: string };
  const lock = new HeardClient({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  try {
    await lock.connect();
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migrate(dataSource);
  } catch (error) {
    await dataSource.destroy();
    throw error;
  } finally {
    await lock.end().catch(() => undefined);
  }
  return dataSource;
}

async function migrate({ options }: DataSource): Promise<void> {
  const patient = new DataSource({ ...options, extra: { Client: HeardClient } });
  await patient.initialize();
  try {
    await patient.runMigrations();
  } finally {
    await patient.destroy();
  }
}

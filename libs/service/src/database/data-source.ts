import { DataSource, type MigrationInterface } from 'typeorm';
import type { Logger } from '@castiron/observability';
import { HeardClient, refusePooler } from '@castiron/outbox';
import { CONNECT_TIMEOUT_MS, connectionTo } from './connection.js';
import { tellOfLittleRoomForLocks } from './room-for-locks.js';

/** A migration's class, listed explicitly. */
export type Migration = new () => MigrationInterface;

/** Transactions at once: what more is asked waits. PostgreSQL writes commits that come together through to its disk together. */
const POOL_SIZE = 20;

/** Two replicas that start at once must not both migrate: the second waits here. Any constant does. */
const MIGRATION_LOCK = 4_761_537;

/** A DataSource as every service has it; also for further databases, such as the key store. */
export function createDataSource(
  url: string,
  migrations: readonly Migration[],
  logger: Logger,
  poolSize = POOL_SIZE,
): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities: [],
    migrations: [...migrations],
    migrationsTransactionMode: 'each',
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
    poolSize,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    // An idle connection that breaks must not end the process; the pool makes a new one.
    poolErrorHandler: (error: unknown) => logger.warn({ err: error }, 'a database connection broke'),
    extra: connectionTo(url),
  });
}

/** Connects, and brings the schema up to date under a lock. A migration may take as long as it takes. */
export async function migrated(dataSource: DataSource, logger: Logger): Promise<DataSource> {
  await dataSource.initialize();
  // A connection of its own: closing it gives the lock back, whatever happened.
  const { url } = dataSource.options as { url?: string };
  const lock = new HeardClient({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  try {
    await lock.connect();
    await refusePooler(lock);
    await lock.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await migrate(dataSource);
    await tellOfLittleRoomForLocks(dataSource, logger);
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

import { outboxMigrations } from '@castiron/outbox';
import { idempotencyMigrations } from '@castiron/service';
import { DataSource, type DataSourceOptions } from 'typeorm';
import { CreateCustomerKeys1764000002001 } from './key-custody/migrations/0001-create-customer-keys.js';
import { CreateCustomersAndAttributeValues1764000001001 } from './migrations/0001-create-customers-and-attribute-values.js';
import { CreateStatements1764000001002 } from './migrations/0002-create-statements.js';
import { CreateImportKeys1764000001003 } from './migrations/0003-create-import-keys.js';

/** The customers' database. */
export const databaseMigrations = [
  CreateCustomersAndAttributeValues1764000001001,
  CreateStatements1764000001002,
  CreateImportKeys1764000001003,
  ...outboxMigrations,
  ...idempotencyMigrations,
];

/** The key store. */
export const keyStoreMigrations = [CreateCustomerKeys1764000002001];

/** A transaction that outlives these would outlive the grace that new keys have. */
const LIMITS = {
  statement_timeout: 30_000,
  idle_in_transaction_session_timeout: 30_000,
  connectionTimeoutMillis: 5_000,
  max: 20,
};

/** Any number, the same in every replica. */
const MIGRATION_LOCK = 7_261_001;

/** Connects and brings the schema up to date; replicas that start at once wait for each other. */
export async function openDatabase(
  url: string,
  migrations: NonNullable<DataSourceOptions['migrations']>,
  onError: (error: Error) => void,
): Promise<DataSource> {
  const database = new DataSource({
    type: 'postgres',
    url,
    migrations,
    invalidWhereValuesBehavior: { null: 'throw', undefined: 'throw' },
    extra: LIMITS,
    // Without a listener the process ends when an idle connection breaks.
    poolErrorHandler: onError,
    applicationName: 'customer-profiles',
  });
  await database.initialize();
  await database.transaction(async (manager) => {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await database.runMigrations({ transaction: 'each' });
  });
  return database;
}

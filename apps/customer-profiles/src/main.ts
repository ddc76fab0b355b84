import 'reflect-metadata';
import { join } from 'node:path';
import { connect } from '@castiron/kafka';
import { createLogger, createMetrics, Health } from '@castiron/observability';
import { Relay } from '@castiron/outbox';
import { startService } from '@castiron/service';
import { Transactions } from '@castiron/transactions';
import { readSettings } from './config.js';
import { CustomerProfilesModule } from './customer-profiles.module.js';
import { databaseMigrations, keyStoreMigrations, openDatabase } from './database.js';
import { KeyCustody } from './key-custody/key-custody.js';
import { KeySweeper } from './key-custody/sweep-unused-keys/key-sweeper.js';
import { loadStatements } from './statements/load-statements/load-statements.use-case.js';
import { readStatements } from './statements/load-statements/statement-file.js';

const settings = readSettings();
const { name, databaseUrl, keystoreUrl, keyEncryptionKey, serviceKey } = settings;
const logger = createLogger(name, settings.logLevel);
const metrics = createMetrics(name);
const health = new Health();

const onDatabaseError = (): void => logger.warn('an idle database connection was lost');
const database = await openDatabase(databaseUrl, databaseMigrations, onDatabaseError);
const keyStore = await openDatabase(keystoreUrl, keyStoreMigrations, onDatabaseError);
health.addCheck('database', async () => void (await database.query('SELECT 1')));
health.addCheck('key-store', async () => void (await keyStore.query('SELECT 1')));

const kafka = connect({
  brokers: [...settings.kafkaBrokers],
  clientId: name,
  username: settings.kafkaUsername,
  password: settings.kafkaPassword,
  ssl: settings.kafkaSsl,
});
const relay = new Relay({ dataSource: database, kafka, logger, metrics });
const transactions = new Transactions(database, relay);
const custody = new KeyCustody(keyStore, keyEncryptionKey);
await loadStatements(transactions, readStatements(join(import.meta.dirname, '../statements')));

const sweeper = new KeySweeper({
  keyStore,
  database,
  logger,
  // Outside of any promise, so that nobody can swallow it: a bug ends the process.
  onCrash: (error) =>
    setImmediate(() => {
      throw error;
    }),
});
const databases = {
  start: () => Promise.resolve(),
  stop: async () => void (await Promise.all([database.destroy(), keyStore.destroy()])),
};

await startService({
  name,
  module: CustomerProfilesModule.with({ database, transactions, custody, serviceKey }),
  settings,
  health,
  metrics,
  logger,
  // Stopped from the last to the first.
  parts: [databases, relay, sweeper],
});

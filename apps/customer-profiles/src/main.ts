import 'reflect-metadata';
import { join } from 'node:path';
import { topicOf } from '@castiron/contracts';
import { createDataSource, every, migrated, runService } from '@castiron/service';
import type { DataSource } from 'typeorm';
import { readSettings } from './config.js';
import { CustomerProfilesModule } from './customer-profiles.module.js';
import { KeyCustody } from './key-custody/key-custody.js';
import { sweepUnusedKeys } from './key-custody/sweep-unused-keys/sweep-unused-keys.use-case.js';
import { keyStoreMigrations, migrations } from './migrations.js';
import { loadStatements } from './statements/load-statements/load-statements.use-case.js';
import { readStatements } from './statements/load-statements/statement-file.js';
import { publications } from './publications.js';
import { subscriptions } from './subscriptions.js';

const SWEEP_MS = 10 * 60_000;
const STATEMENTS = join(import.meta.dirname, '../statements');

const topics = [...new Set(subscriptions.map(({ contract }) => topicOf(contract).name))];

const settings = readSettings();
let keyStore: DataSource;

await runService({
  settings,
  migrations,
  publications,
  module: ({ logger, health, dataSource: database, transactions, serviceKey }) => {
    keyStore = createDataSource(settings.keystoreUrl, keyStoreMigrations, logger);
    health.addCheck('key-store', async () => void (await keyStore.query('SELECT 1')));
    const custody = new KeyCustody(keyStore, settings.keyEncryptionKey);
    return CustomerProfilesModule.with({ database, transactions, custody, serviceKey });
  },
  // An inbox that reads nothing would never be healthy.
  ...(subscriptions.length > 0 && { inbox: () => ({ topics, subscriptions }) }),
  parts: (_app, { dataSource: database, transactions, logger }) => [
    { name: 'key-store', start: async () => void (await migrated(keyStore)), stop: () => keyStore.destroy() },
    {
      name: 'statements',
      start: () => loadStatements(transactions, readStatements(STATEMENTS)),
      stop: () => Promise.resolve(),
    },
    every(
      SWEEP_MS,
      'unused-keys',
      async () => {
        const swept = await sweepUnusedKeys(keyStore, database);
        if (swept > 0) logger.warn({ swept }, 'deleted keys whose customer was never committed');
      },
      (error) => logger.error({ err: error }, 'unused keys were not swept'),
    ),
  ],
});

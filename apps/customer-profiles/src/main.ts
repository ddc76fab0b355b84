import 'reflect-metadata';
import { join } from 'node:path';
import { topicOf } from '@castiron/contracts';
import { NoRoom } from '@castiron/failures';
import { createDataSource, every, migrated, runService } from '@castiron/service';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { readSettings } from './config.js';
import { CustomerProfilesModule } from './customer-profiles.module.js';
import { destroyKeysOfErased } from './erasures/destroy-keys/destroy-keys.js';
import { KeyCustody } from './key-custody/key-custody.js';
import { sweepUnusedKeys } from './key-custody/sweep-unused-keys/sweep-unused-keys.use-case.js';
import { keyStoreMigrations, migrations } from './migrations.js';
import { loadStatements } from './statements/load-statements/load-statements.use-case.js';
import { readStatements } from './statements/load-statements/statement-file.js';
import { publications } from './publications.js';
import { recoverProfiles } from './recovery/recover-profiles.js';
import { IGNORED, subscriptions } from './subscriptions.js';

const SWEEP_MS = 10 * 60_000;
const STATEMENTS_MS = 60_000;
/** The net under each erasure, which destroys the keys itself where it can. */
const DESTROY_KEYS_MS = 5_000;
const STATEMENTS = join(import.meta.dirname, '../statements');

const publishStatements = (transactions: Transactions): Promise<void> =>
  loadStatements(transactions, readStatements(STATEMENTS));

const topics = [...new Set(subscriptions.map(({ contract }) => topicOf(contract).name))];

const settings = readSettings();
let keyStore: DataSource;
let custody: KeyCustody;

await runService({
  settings,
  migrations,
  publications,
  module: ({ logger, health, dataSource: database, transactions, serviceKey }) => {
    keyStore = createDataSource(settings.keystoreUrl, keyStoreMigrations, logger);
    health.addCheck('key-store', async () => void (await keyStore.query('SELECT 1')));
    custody = new KeyCustody(keyStore, settings.keyEncryptionKey, logger);
    return CustomerProfilesModule.with({ database, transactions, custody, serviceKey });
  },
  recovery: ({ dataSource: database, transactions, kafka }) =>
    recoverProfiles({ database, transactions, kafka, keys: () => ({ keyStore, custody }) }),
  inbox: () => ({ topics, subscriptions, ignored: IGNORED }),
  parts: (_app, { dataSource: database, transactions, logger }) => [
    {
      name: 'key-store',
      evenFenced: true,
      start: async () => {
        await migrated(keyStore, logger);
        await custody.refuseWrongKey();
      },
      stop: () => keyStore.destroy(),
    },
    {
      name: 'statements',
      // A full outbox must not keep the service from starting, for then nothing would empty it.
      start: () =>
        publishStatements(transactions).catch((error: unknown) => {
          if (!(error instanceof NoRoom)) throw error;
          logger.warn('statements are published once the outbox has room');
        }),
      stop: () => Promise.resolve(),
    },
    every(
      STATEMENTS_MS,
      'statements',
      () => publishStatements(transactions),
      (error) => logger.error({ err: error }, 'statements were not published'),
    ),
    {
      ...every(
        DESTROY_KEYS_MS,
        'keys-of-erased',
        async () => void (await destroyKeysOfErased(database, custody)),
        (error) => logger.error({ err: error }, 'keys of erased customers were not destroyed'),
      ),
      evenFenced: true,
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

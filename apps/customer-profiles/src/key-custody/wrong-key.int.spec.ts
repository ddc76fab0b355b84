import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newKey } from '@castiron/encryption';
import { environmentOf, NODE_ARGUMENTS, Part, PROGRAMS, ROOT } from '@castiron/local-stack';
import { createLogger } from '@castiron/observability';
import { createDataSource, migrated } from '@castiron/service';
import { freshDatabaseUrl } from '@castiron/testing';
import { expect, inject, it, onTestFinished } from 'vitest';
import { keyStoreMigrations } from '../migrations.js';
import { KeyCustody } from './key-custody.js';

const PORTS = { 'customer-profiles': 0, 'partner-sharing': 0, notifications: 0, recommendations: 0 };

/** A key store that holds the keys of a customer, under a key that nobody has any more. */
async function keyStoreOfAnotherKey(): Promise<string> {
  const url = await freshDatabaseUrl();
  const logger = createLogger('spec', 'silent');
  const keyStore = await migrated(createDataSource(url, keyStoreMigrations, logger), logger);
  await new KeyCustody(keyStore, newKey(), logger).create([randomUUID()]);
  await keyStore.destroy();
  return url;
}

it('customer-profiles does not start with a key that opens nothing of its key store, and names the setting', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'castiron-wrong-key-'));
  const keyFile = join(folder, 'key-encryption.key');
  await writeFile(keyFile, newKey().toString('base64'), { mode: 0o600 });
  const service = new Part({
    name: 'customer-profiles',
    command: process.execPath,
    args: [...NODE_ARGUMENTS, join(ROOT, PROGRAMS['customer-profiles'])],
    log: join(folder, 'service.log'),
    env: {
      ...(await environmentOf('customer-profiles', inject('stack'), PORTS)),
      DATABASE_URL: await freshDatabaseUrl(),
      KEYSTORE_URL: await keyStoreOfAnotherKey(),
      KEY_ENCRYPTION_KEY_FILE: keyFile,
    },
  });
  onTestFinished(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });
  await expect(service.says(/"listening"/)).rejects.toThrow(/exit code 1[^]*KEY_ENCRYPTION_KEY_FILE must/);
});

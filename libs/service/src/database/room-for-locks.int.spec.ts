import { createLogger } from '@castiron/observability';
import { freshDatabaseUrl, startFurtherPostgres } from '@castiron/testing';
import { expect, it } from 'vitest';
import { createDataSource, migrated } from './data-source.js';

/** What is logged while a service connects to this database. */
async function saidOf(url: string): Promise<string> {
  let said = '';
  const logger = createLogger('spec', 'warn', { write: (line) => void (said += line) });
  const dataSource = await migrated(createDataSource(url, [], logger), logger);
  await dataSource.destroy();
  return said;
}

it('a database with little room for locks is told of at start, and one with enough is not', async () => {
  expect(await saidOf(await freshDatabaseUrl())).toBe('');
  // What PostgreSQL has where nobody sets it.
  const server = await startFurtherPostgres({ max_locks_per_transaction: 64 });
  try {
    expect(await saidOf(server.admin)).toMatch(/"max_locks_per_transaction":64,"wanted":256.*raise its max_locks/);
  } finally {
    await server.stop();
  }
});

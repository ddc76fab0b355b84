import { isPassing } from '@castiron/failures';
import { createLogger } from '@castiron/observability';
import { eventually, freshDatabaseUrl, openDatabaseValve } from '@castiron/testing';
import { Pool } from 'pg';
import { expect, it } from 'vitest';
import { connectionTo } from './connection.js';
import { createDataSource, migrated } from './data-source.js';

const SETTINGS = `SELECT current_setting('search_path') AS path, current_setting('client_connection_check_interval') AS looks`;

it('a connection has the options of its address and those of a service, whichever pool it is of', async () => {
  const address = new URL(await freshDatabaseUrl());
  address.searchParams.set('options', '-c search_path=public,theirs');
  const pool = new Pool(connectionTo(address.href));
  const dataSource = await createDataSource(address.href, [], createLogger('spec', 'silent')).initialize();
  const both = { path: 'public,theirs', looks: '2s' };
  expect((await pool.query(SETTINGS)).rows).toEqual([both]);
  expect(await dataSource.query(SETTINGS)).toEqual([both]);
  await pool.end();
  await dataSource.destroy();
});

it('a statement that its connection no longer has prepared may be tried again', async () => {
  const pool = new Pool({ ...connectionTo(await freshDatabaseUrl()), max: 1 });
  const prepared = { name: 'one', text: 'SELECT 1' };
  await pool.query(prepared);
  await pool.query('DEALLOCATE ALL');
  const error: unknown = await pool.query(prepared).catch((failure: unknown) => failure);
  expect(error).toMatchObject({ code: '26000' });
  expect(isPassing(error)).toBe(true);
  await pool.end();
});

it('a transaction whose connection breaks between two statements may be tried again', async () => {
  const dataSource = await createDataSource(await freshDatabaseUrl(), [], createLogger('spec', 'silent')).initialize();
  const broken = dataSource.transaction(async (manager) => {
    const [{ pid }] = await manager.query('SELECT pg_backend_pid() AS pid');
    await dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
    await eventually(() => expect(manager.queryRunner?.isReleased).toBe(true));
    await manager.query('SELECT 1');
  });
  const error: unknown = await broken.catch((failure: unknown) => failure);
  expect(error).toMatchObject({ name: 'QueryRunnerProviderAlreadyReleasedError' });
  expect(isPassing(error)).toBe(true);
  await dataSource.destroy();
});

it('a database behind a pooler is not migrated, under a lock that would stay there', async () => {
  const valve = await openDatabaseValve(await freshDatabaseUrl());
  valve.pools = true;
  const logger = createLogger('spec', 'silent');
  await expect(migrated(createDataSource(valve.url, [], logger), logger)).rejects.toThrow('pooler');
  await valve.close();
});

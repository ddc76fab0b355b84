import { once } from 'node:events';
import { freshDatabaseUrl, openDatabaseValve } from '@castiron/testing';
import pg from 'pg';
import { expect, it } from 'vitest';
import { HeardClient } from './heard-client.js';

/** Any error that nobody hears ends a process, and fails the run. */
it('a connection that breaks while nobody listens ends nothing', async () => {
  const valve = await openDatabaseValve(await freshDatabaseUrl());
  const client = new HeardClient({ connectionString: valve.url });
  await client.connect();
  valve.state = 'cut';
  await expect(client.query('SELECT 1')).rejects.toThrow('Connection terminated unexpectedly');
  await valve.close();
});

it('what is read row by row tells of its failure, whatever the address says of the time for a query', async () => {
  const address = new URL(await freshDatabaseUrl());
  address.searchParams.set('query_timeout', '60000');
  const client = new HeardClient({ connectionString: address.href });
  await client.connect();
  await expect(once(client.query(new pg.Query('SELECT 1 / 0')), 'end')).rejects.toThrow('division by zero');
  await client.end();
});

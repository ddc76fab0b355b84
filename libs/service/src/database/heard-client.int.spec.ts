import { freshDatabaseUrl, openDatabaseValve } from '@castiron/testing';
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

import { once } from 'node:events';
import { freshDatabaseUrl, openDatabaseValve } from '@castiron/testing';
import pg from 'pg';
import { expect, it, vi } from 'vitest';
import * as patience from './patience.js';
import { PatientClient } from './patient-client.js';

type Ask = (client: PatientClient) => Promise<unknown>;

it.each<[string, Ask]>([
  ['all at once', (client) => client.query('SELECT 1')],
  ['row by row', (client) => once(client.query(new pg.Query('SELECT 1')), 'end')],
  [
    'with a callback',
    (client) =>
      new Promise((resolve, reject) => {
        client.query(new pg.Query('SELECT 1', (error) => (error ? reject(error) : resolve(undefined))));
      }),
  ],
])('gives up a database that does not answer a query read %s', async (_, ask) => {
  vi.spyOn(patience, 'patienceMs').mockReturnValue(300);
  const valve = await openDatabaseValve(await freshDatabaseUrl());
  const client = new PatientClient({ connectionString: valve.url });
  await client.connect();
  await ask(client);
  valve.state = 'deaf';
  await expect(ask(client)).rejects.toThrow('the database did not answer in time');
  await valve.close();
});

it('has patience with each statement from when that was asked', async () => {
  vi.spyOn(patience, 'patienceMs').mockReturnValue(2_000);
  const client = new PatientClient({ connectionString: await freshDatabaseUrl() });
  await client.connect();
  // Slow, and answered: the second is asked when half of the first one's time is over.
  await client.query('SELECT pg_sleep(1.1)');
  await expect(client.query('SELECT pg_sleep(1.1)')).resolves.toBeDefined();
  await client.end();
});

it('has less patience where somebody waits, also after statements that nobody waited for', async () => {
  const patienceMs = vi.spyOn(patience, 'patienceMs').mockReturnValue(60_000);
  const valve = await openDatabaseValve(await freshDatabaseUrl());
  const client = new PatientClient({ connectionString: valve.url });
  await client.connect();
  await client.query('SELECT 1');
  patienceMs.mockReturnValue(300);
  valve.state = 'deaf';
  await expect(client.query('SELECT 1')).rejects.toThrow('the database did not answer in time');
  await valve.close();
});

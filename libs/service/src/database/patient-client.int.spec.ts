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

import { EventEmitter, once } from 'node:events';
import { freshDatabaseUrl, openDatabaseValve } from '@castiron/testing';
import pg from 'pg';
import { expect, it, vi } from 'vitest';
import * as patience from './patience.js';
import { PatientClient } from './patient-client.js';

it.each(['all at once', 'row by row'])('gives up a database that does not answer a query read %s', async (how) => {
  vi.spyOn(patience, 'patienceMs').mockReturnValue(300);
  const valve = await openDatabaseValve(await freshDatabaseUrl());
  const client = new PatientClient({ connectionString: valve.url });
  await client.connect();
  const ask = (): Promise<unknown> => {
    const query: unknown = client.query(how === 'row by row' ? (new pg.Query('SELECT 1') as never) : 'SELECT 1');
    return query instanceof EventEmitter ? once(query, 'end') : (query as Promise<unknown>);
  };
  await ask();
  valve.state = 'deaf';
  await expect(ask()).rejects.toThrow('the database did not answer in time');
  await valve.close();
});

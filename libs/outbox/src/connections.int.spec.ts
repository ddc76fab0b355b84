import { freshDatabase, openDatabaseValve } from '@castiron/testing';
import { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { Connections } from './connections.js';
import { outboxMigrations } from './index.js';

/** Any error that nobody hears ends a process, and fails the run. */
it('survives that its connection breaks off in the middle of a statement', async () => {
  const direct = await freshDatabase(outboxMigrations);
  const { options } = direct;
  if (options.type !== 'postgres' || options.url === undefined) throw new Error('no address of the database');
  const valve = await openDatabaseValve(options.url);
  const connections = new Connections(new DataSource({ ...options, url: valve.url }), () => undefined);
  const ask = () => connections.query({ text: 'SELECT 1 AS n' }, []);
  await ask();
  const cutOff = ask();
  valve.state = 'cut';
  await expect(cutOff).rejects.toThrow('Connection terminated unexpectedly');
  valve.state = 'open';
  await expect(ask()).resolves.toMatchObject({ rows: [{ n: 1 }] });
  await connections.end();
  await valve.close();
  await direct.destroy();
});

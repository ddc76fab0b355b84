import { freshDatabaseUrl } from '@castiron/testing';
import { Client, Query, type Connection } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ahead } from './ahead.js';
import { together } from './together.js';

const BEGIN = { name: 'begin', text: 'BEGIN' };
const LOCK = { name: 'lock', text: 'SELECT pg_advisory_xact_lock($1)', values: ['7'] };
const FAILS = { name: 'fails', text: 'SELECT 1 / $1::int', values: ['0'] };

let url: string;
let client: Client;
let roundTrips: number;
beforeEach(async () => {
  url = await freshDatabaseUrl();
  client = await connected();
  await client.query('CREATE TABLE written (n int)');
  roundTrips = 0;
  const { connection } = client as unknown as { connection: Connection };
  connection.on('readyForQuery', () => (roundTrips += 1));
});
afterEach(() => client.end());

async function connected(): Promise<Client> {
  const one = new Client({ connectionString: url });
  await one.connect();
  return one;
}

const asked = () => client as unknown as { query: (this: void) => unknown };
const written = async () =>
  (await client.query<{ n: number }>('SELECT n FROM written ORDER BY n')).rows.map(({ n }) => n);
const write = (n: number) => client.query('INSERT INTO written VALUES ($1) RETURNING n', [n]);

describe('statements that go ahead of a query', () => {
  it('are carried out before it in the same round trip, and it hears of its own rows alone', async () => {
    const { query } = asked();
    const ahead = new Ahead(client, [BEGIN, LOCK]);
    const { command, rowCount, rows } = await write(1);
    expect({ command, rowCount, rows, roundTrips }).toEqual({
      command: 'INSERT',
      rowCount: 1,
      rows: [{ n: 1 }],
      roundTrips: 1,
    });
    expect(ahead.end()).toEqual([]);
    expect(asked().query).toBe(query);
    await client.query('ROLLBACK');
    expect(await written()).toEqual([]);
  });

  it('go ahead of the first of several that nobody waits for, once', async () => {
    new Ahead(client, [BEGIN, LOCK]);
    await Promise.all([write(1), write(2)]);
    await client.query('COMMIT');
    expect(await written()).toEqual([1, 2]);
    expect(roundTrips).toBe(4);
  });

  it('are given back where nothing was asked', () => {
    expect(new Ahead(client, [BEGIN, LOCK]).end()).toEqual([BEGIN, LOCK]);
  });

  it('keep it from being carried out where one of them fails, and it fails of the same', async () => {
    for (const round of [1, 2]) {
      new Ahead(client, [BEGIN, FAILS]);
      await expect(write(round)).rejects.toMatchObject({ message: 'division by zero' });
      await client.query('ROLLBACK');
    }
    expect(await written()).toEqual([]);
  });

  it('stand where it fails itself, and can be asked again', async () => {
    for (const _ of [1, 2]) {
      new Ahead(client, [BEGIN, LOCK]);
      await expect(client.query('SELECT n FROM nowhere')).rejects.toMatchObject({ code: '42P01' });
      await expect(write(1)).rejects.toMatchObject({ code: '25P02' });
      await client.query('ROLLBACK');
    }
  });

  it('are all that the connection was asked for where nothing begins: it ends', async () => {
    await together(client, [BEGIN, LOCK]);
    await client.query('ROLLBACK; DEALLOCATE ALL');
    client.on('error', () => undefined);
    new Ahead(client, [BEGIN, LOCK]);
    const [first, second] = await Promise.allSettled([write(1), write(2)]);
    expect(first).toMatchObject({ status: 'rejected', reason: { code: '26000' } });
    expect(second.status).toBe('rejected');
    client = await connected();
    expect(await written()).toEqual([]);
  });

  it('go ahead of no cursor, and of what is asked after it was refused', async () => {
    new Ahead(client, [BEGIN, LOCK]);
    expect(() => client.query(new Query('SELECT 1'))).toThrow(TypeError);
    await write(1);
    await client.query('ROLLBACK');
    expect(await written()).toEqual([]);
  });
});

import { freshDatabaseUrl } from '@castiron/testing';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { together } from './together.js';

const BEGIN = { name: 'begin', text: 'BEGIN' };
const COMMIT = { name: 'commit', text: 'COMMIT' };

let client: Client;
beforeEach(async () => {
  client = new Client({ connectionString: await freshDatabaseUrl() });
  await client.connect();
});
afterEach(() => client.end());

describe('statements sent together', () => {
  it('are answered in order, and planned once', async () => {
    const one = { name: 'one', text: 'SELECT $1::int AS n', values: ['1'] };
    expect(await together(client, [BEGIN, one])).toEqual(['BEGIN', 'SELECT 1']);
    expect(await together(client, [one, COMMIT])).toEqual(['SELECT 1', 'COMMIT']);
    expect(await together(client, [BEGIN, one, COMMIT])).toEqual(['BEGIN', 'SELECT 1', 'COMMIT']);
    const { rows } = await client.query(
      'SELECT name, generic_plans + custom_plans AS runs FROM pg_prepared_statements',
    );
    const runs = { one: '3', begin: '2', commit: '2' };
    expect(rows).toEqual(expect.arrayContaining(Object.entries(runs).map(([name, runs]) => ({ name, runs }))));
  });

  it.each([
    ['cannot be parsed', 'SELECT n FROM later WHERE $1::int = 0'],
    ['fails as it is carried out', 'SELECT 1 / $1::int AS n'],
  ])('keep what follows from being carried out where one %s, and can be asked again', async (_, text) => {
    const again = (n: number) => together(client, [BEGIN, { name: 'again', text, values: [String(n)] }, COMMIT]);
    for (const round of [1, 2]) {
      await expect(again(0), `round ${round}`).rejects.toMatchObject({ severity: 'ERROR' });
      expect(await together(client, [COMMIT])).toEqual(['ROLLBACK']);
    }
    await client.query('CREATE TABLE later (n int)');
    expect((await again(1)).map((tag) => tag.split(' ')[0])).toEqual(['BEGIN', 'SELECT', 'COMMIT']);
  });

  it('are planned anew where the connection has lost them', async () => {
    const ask = () => together(client, [BEGIN, { name: 'one', text: 'SELECT 1 AS n' }, COMMIT]);
    await ask();
    await client.query('DEALLOCATE ALL');
    await expect(ask()).rejects.toMatchObject({ code: '26000' });
    expect(await ask()).toEqual(['BEGIN', 'SELECT 1', 'COMMIT']);
  });

  it('tell what the commit itself fails of', async () => {
    await client.query('CREATE TABLE once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)');
    const twice = { name: 'twice', text: 'INSERT INTO once SELECT 1 FROM generate_series(1, 2)' };
    await expect(together(client, [BEGIN, twice, COMMIT])).rejects.toMatchObject({ code: '23505' });
    expect(await together(client, [BEGIN, COMMIT])).toEqual(['BEGIN', 'COMMIT']);
  });

  it('fail where the connection ends before they are answered', async () => {
    const ends = { name: 'ends', text: 'SELECT pg_terminate_backend(pg_backend_pid())' };
    client.on('error', () => undefined);
    await expect(together(client, [BEGIN, ends, COMMIT])).rejects.toThrow();
    await expect(together(client, [BEGIN])).rejects.toThrow();
  });
});

import { freshDatabaseUrl } from '@castiron/testing';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withCommand } from './with-command.js';

let client: Client;
beforeEach(async () => {
  client = new Client({ connectionString: await freshDatabaseUrl() });
  await client.connect();
});
afterEach(() => client.end());

describe('a statement with commands', () => {
  it('is answered with them, in order', async () => {
    const one = { name: 'one', text: 'SELECT $1::int AS n', values: [1] };
    for (const round of ['parsed', 'parsed before']) {
      const begun = await withCommand(client, one, { before: 'BEGIN' });
      const ended = await withCommand(client, one, { after: 'COMMIT' });
      expect([round, ...begun, ...ended].map((it) => (typeof it === 'string' ? it : it.command))).toEqual([
        round,
        'BEGIN',
        'SELECT',
        'SELECT',
        'COMMIT',
      ]);
    }
  });

  it('is carried out with its commands though it has neither name nor values', async () => {
    const answers = await withCommand(client, { text: 'SELECT 1', values: [] }, { before: 'BEGIN' });
    expect(answers.map(({ command }) => command)).toEqual(['BEGIN', 'SELECT']);
  });

  it.each([
    ['cannot be parsed', 'SELECT n FROM later WHERE $1::int = 0'],
    ['fails as it is carried out', 'SELECT 1 / $1::int AS n'],
  ])('keeps what follows from being carried out where it %s, and can be asked again', async (_, text) => {
    const statement = { name: 'again', text };
    for (const round of [1, 2]) {
      const failing = withCommand(client, { ...statement, values: [0] }, { before: 'BEGIN', after: 'COMMIT' });
      await expect(failing, `round ${round}`).rejects.toMatchObject({ severity: 'ERROR' });
      expect((await client.query('COMMIT')).command).toBe('ROLLBACK');
    }
    await client.query('CREATE TABLE later (n int)');
    const answers = await withCommand(client, { ...statement, values: [1] }, { before: 'BEGIN', after: 'COMMIT' });
    expect(answers.map(({ command }) => command)).toEqual(['BEGIN', 'SELECT', 'COMMIT']);
  });
});

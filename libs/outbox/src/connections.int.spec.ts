import { eventually, freshDatabase, openDatabaseValve } from '@castiron/testing';
import { expect, it } from 'vitest';
import { Connections } from './connections.js';
import { outboxMigrations } from './index.js';
import { readPage } from './read-page.js';
import { addressOf } from './testing/address-of.js';

/** Any error that nobody hears ends a process, and fails the run. */
it.each(['query', 'read'] as const)('survives that its connection breaks off in the middle of a %s', async (how) => {
  const direct = await freshDatabase(outboxMigrations);
  const valve = await openDatabaseValve(addressOf(direct).connectionString);
  const connections = new Connections({ connectionString: valve.url }, () => undefined);
  const one = { text: 'SELECT 1 AS n' };
  const ask = async (): Promise<number[]> => {
    const read: number[] = [];
    if (how === 'read') await connections.read<[number]>(one, [], ([n]) => read.push(n));
    else read.push(...(await connections.query<{ n: number }>(one, [])).rows.map(({ n }) => n));
    return read;
  };
  await ask();
  const cutOff = ask();
  valve.state = 'cut';
  await expect(cutOff).rejects.toThrow('Connection terminated unexpectedly');
  valve.state = 'open';
  await expect(ask()).resolves.toEqual([1]);
  await connections.end();
  await valve.close();
  await direct.destroy();
});

it('fails what is read row by row where its work fails, and nothing else', async () => {
  const dataSource = await freshDatabase(outboxMigrations);
  const connections = new Connections(addressOf(dataSource), () => undefined);
  const numbers = { text: 'SELECT n FROM generate_series(1, 3) AS n' };
  const read: number[] = [];
  await connections.read<[number]>(numbers, [], ([n]) => read.push(n));
  expect(read).toEqual([1, 2, 3]);
  const seen: number[] = [];
  const failing = connections.read<[number]>(numbers, [], ([n]) => {
    seen.push(n);
    throw new Error(`no ${n}`);
  });
  await expect(failing).rejects.toThrow('no 1');
  expect(seen).toEqual([1]);
  await expect(connections.read({ text: 'SELECT nothing' }, [], () => undefined)).rejects.toThrow('does not exist');
  await expect(connections.read(numbers, ['another'], () => undefined)).rejects.toThrow('crashed');
  await connections.read<[number]>(numbers, [], ([n]) => read.push(n));
  expect(read).toHaveLength(6);
  await connections.end();
  await dataSource.destroy();
});

it('fails what fails row by row, whatever its address says of the time for a query', async () => {
  const dataSource = await freshDatabase(outboxMigrations);
  const address = new URL(addressOf(dataSource).connectionString);
  address.searchParams.set('query_timeout', '60000');
  const connections = new Connections({ connectionString: address.href }, () => undefined);
  await expect(connections.read({ text: 'SELECT 1 / 0' }, [], () => undefined)).rejects.toThrow('division by zero');
  await connections.end();
  await dataSource.destroy();
});

it('has its own settings and those of its address', async () => {
  const dataSource = await freshDatabase(outboxMigrations);
  const address = new URL(addressOf(dataSource).connectionString);
  address.searchParams.set('options', '-c search_path=public,theirs -c enable_sort=on');
  const connections = new Connections({ connectionString: address.href }, () => undefined);
  const names = ['search_path', 'enable_sort', 'enable_seqscan', 'jit', 'synchronous_commit', 'plan_cache_mode'];
  const settings = await connections.query<{ name: string; setting: string }>(
    { text: 'SELECT name, setting FROM pg_settings WHERE name = ANY ($1)', values: [names] },
    [],
  );
  expect(Object.fromEntries(settings.rows.map(({ name, setting }) => [name, setting]))).toEqual({
    search_path: 'public,theirs',
    enable_sort: 'off',
    enable_seqscan: 'off',
    jit: 'off',
    synchronous_commit: 'off',
    plan_cache_mode: 'force_generic_plan',
  });
  await connections.end();
  await dataSource.destroy();
});

it('takes no connection of a pooler, whose next owner would have its settings', async () => {
  const direct = await freshDatabase(outboxMigrations);
  const valve = await openDatabaseValve(addressOf(direct).connectionString);
  valve.pools = true;
  const connections = new Connections({ connectionString: valve.url }, () => undefined);
  await expect(connections.query({ text: 'SELECT' }, [])).rejects.toThrow('pooler');
  valve.pools = false;
  await connections.query({ text: 'SELECT' }, []);
  await connections.end();
  await valve.close();
  await direct.destroy();
});

it('runs nothing in a transaction that rests on another server', async () => {
  const dataSource = await freshDatabase(outboxMigrations);
  const connections = new Connections(addressOf(dataSource), () => undefined);
  const here = await connections.inTransaction((_query, incarnation) => Promise.resolve(incarnation), []);
  await expect(connections.inTransaction(() => Promise.resolve('done'), [here])).resolves.toBe('done');
  await expect(
    connections.inTransaction(() => expect.unreachable('of another server'), [here, 'another']),
  ).rejects.toThrow('crashed');
  await connections.end();
  await dataSource.destroy();
});

/** Statistics of a table that grows are old: a third of it is what the planner takes the news for. */
it('finds what is new without having processes started for it', async () => {
  const dataSource = await freshDatabase(outboxMigrations);
  await dataSource.query(
    `INSERT INTO outbox (xid, lane, event_id, aggregatetype, aggregateid, type, payload, headers)
     SELECT pg_current_xact_id(), 0, gen_random_uuid(), 'topic', 'key', 'type', repeat('x', 600), '{}'
     FROM generate_series(1, 30000)`,
  );
  const [now] = await dataSource.query<{ snapshot: string }[]>('SELECT pg_current_snapshot()::text AS snapshot');
  const settled = now?.snapshot ?? '';
  const connections = new Connections(addressOf(dataSource), () => undefined);
  const encoder = { encode: () => expect.unreachable('nothing is new') };
  const lane = { lane: 0, read: { settled, reading: settled, lastId: '0', upTo: '0' } };
  for (let n = 0; n < 10; n += 1) {
    const { incarnation } = await connections.query({ text: 'SELECT' }, []);
    expect((await readPage(connections, encoder, [{ ...lane, incarnation }])).rows).toEqual([]);
  }
  // Told when a connection has ended at the server, too.
  await connections.end();
  await eventually(async () =>
    expect(
      await dataSource.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'castiron-outbox'`,
      ),
    ).toEqual([]),
  );
  const [counted] = await dataSource.query<{ launched: string }[]>(
    `SELECT parallel_workers_launched AS launched FROM pg_stat_database WHERE datname = current_database()`,
  );
  expect(counted).toEqual({ launched: '0' });
  await dataSource.destroy();
});

import { connect, type ConsumerOptions } from '@castiron/kafka';
import { eventually, freshDatabase, openDatabaseValve, type DatabaseValve } from '@castiron/testing';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { inboxMigrations } from './index.js';
import { InboxRig, KeepWhatHappened1795392000902 } from './testing/inbox.rig.js';

const POOL_SIZE = 3;
let rig: InboxRig;
let valve: DatabaseValve;
let dataSource: DataSource;
/** What a consumer asks where a partition stands still. */
let excused: ConsumerOptions['excused'];

beforeAll(async () => {
  const principal = inject('stack').kafka.principals['admin'];
  if (principal === undefined) throw new Error('the stack has no admin');
  const kafka = connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });
  const direct = await freshDatabase([...inboxMigrations, KeepWhatHappened1795392000902]);
  rig = new InboxRig(direct, kafka);
  valve = await openDatabaseValve((direct.options as { url: string }).url);
  dataSource = new DataSource({ type: 'postgres', url: valve.url, poolSize: POOL_SIZE, connectTimeoutMS: 2_000 });
  await dataSource.initialize();
  const { contract, topic } = await rig.newEvent();
  const inbox = rig.inboxOf({
    topics: [topic],
    subscriptions: [rig.counting(contract, topic)],
    dataSource,
    kafka: { ...kafka, consumer: (options) => kafka.consumer({ ...options, excused: (excused = options.excused) }) },
  });
  await inbox.start();
  // It starts before it reads.
  await eventually(() => expect(excused).toBeDefined());
});
afterAll(async () => {
  await rig.stopInboxes();
  await dataSource.destroy();
  await valve.close();
  await rig.close();
});

it('a partition that stands still is excused by a database that is away, and not by a pool that is full', async () => {
  let giveBack = (): void => undefined;
  const held = new Promise<void>((resolve) => (giveBack = resolve));
  let taken = 0;
  const requests = Array.from({ length: POOL_SIZE }, () =>
    dataSource.transaction(async () => {
      taken += 1;
      await held;
    }),
  );
  await eventually(() => expect(taken).toBe(POOL_SIZE));
  expect(await excused?.()).toBe(false);
  giveBack();
  await Promise.all(requests);
  for (const state of ['silent', 'cut'] as const) {
    valve.state = state;
    expect([state, await excused?.()]).toEqual([state, true]);
    valve.state = 'open';
  }
  expect(await excused?.()).toBe(false);
});

it('leaves no connection behind', async () => {
  const others = async (): Promise<number> => {
    const [row] = await rig.dataSource.query<{ n: number }[]>(
      'SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database()',
    );
    return row?.n ?? 0;
  };
  const before = await others();
  for (let n = 0; n < 5; n += 1) await excused?.();
  await eventually(async () => expect(await others()).toBeLessThanOrEqual(before), { within: 5_000 });
});

import { eventually, freshDatabase } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { outboxMigrations } from './index.js';
import { LANES } from './lanes.js';
import { RelayRig, upTo } from './testing/relay.rig.js';

let dataSource: DataSource;
let rig: RelayRig;
beforeEach(async () => {
  dataSource = await freshDatabase(outboxMigrations);
  rig = new RelayRig(dataSource);
});
afterEach(() => rig.close());

const LAST = 'KeepHeadersAsWritten';
const LATER = `JoinLanesToTwo|${LAST}`;
const BEFORE = { 8: `JoinLanesToFour|KeepToTheLanes|${LATER}`, 4: LATER };
const numbers = [8, 4] as const;

const forget = (migrations: string) => dataSource.query(`DELETE FROM migrations WHERE name ~ $1`, [`^(${migrations})`]);

/** Makes the database one of a version that read headers as they are written. */
async function readHeaders(): Promise<void> {
  await dataSource.query(`ALTER TABLE outbox ALTER COLUMN headers TYPE jsonb`);
  await forget(LAST);
}

/** Makes the database one of a version that knew so many lanes. */
async function makeLanes(lanes: 8 | 4): Promise<void> {
  await readHeaders();
  await dataSource.query(`ALTER TABLE outbox DROP CONSTRAINT outbox_lane`);
  if (lanes === 4) await dataSource.query(`ALTER TABLE outbox ADD CONSTRAINT outbox_lane CHECK (lane < 4)`);
  await dataSource.query(`INSERT INTO outbox_lanes (lane) SELECT generate_series($1::int, $2::int - 1)`, [
    LANES,
    lanes,
  ]);
  await forget(BEFORE[lanes]);
}
const migrate = () => dataSource.runMigrations({ transaction: 'each' });

async function counted(): Promise<{ all: number; held: number }> {
  const [row] = await dataSource.query<[{ all: number; held: number }]>(
    `SELECT count(*)::int AS all, (count(*) FILTER (WHERE lease_until > now()))::int AS held FROM outbox_lanes`,
  );
  return row;
}

it.each(numbers)('a database with %i lanes sends what is left in any of them, in order per key', async (before) => {
  const { contract, topic } = await rig.newEvent();
  await makeLanes(before);
  for (const n of upTo(3)) for (const key of ['sent', 'left']) await rig.publish(contract, topic, { key, n });
  await dataSource.query(`UPDATE outbox SET lane = lane + $1::int / 2 WHERE aggregateid = 'left'`, [before]);
  const relay = rig.relay();
  await relay.start();
  // Of lanes that it does not know it sends nothing, and goes past them in those that it knows.
  await eventually(async () => expect(await rig.received(topic)).toEqual(new Map([['sent', upTo(3)]])));
  await relay.stop();

  await migrate();
  await rig.relay().start();
  await eventually(async () => {
    const received = await rig.received(topic);
    expect(received.get('left')).toEqual(upTo(3));
    expect(received.get('sent')).toEqual([...upTo(3), ...upTo(3)]);
  });
  await expect(dataSource.query(`UPDATE outbox SET lane = $1`, [LANES])).rejects.toThrow('outbox_lane');
});

it.each(numbers)('a database keeps its %i lanes while a replica sends, and no longer', async (before) => {
  await makeLanes(before);
  const relay = rig.relay();
  await relay.start();
  await eventually(async () => expect(await counted()).toEqual({ all: before, held: before }));
  await expect(migrate()).rejects.toThrow('stop all replicas of the service');
  expect(await counted()).toEqual({ all: before, held: before });
  await relay.stop();
  await migrate();
  expect(await counted()).toEqual({ all: LANES, held: 0 });
});

it.each([
  ['lanes cannot be joined', () => makeLanes(4)],
  ['headers cannot be kept as they are written', readHeaders],
])('who writes does not wait for long where %s because somebody reads', async (_, make) => {
  const { contract, topic } = await rig.newEvent();
  await make();
  await dataSource.transaction(async (reader) => {
    await reader.query('SELECT FROM outbox');
    const writing = (async () => {
      for (const n of upTo(20)) await rig.publish(contract, topic, { key: 'a', n });
    })();
    await expect(migrate()).rejects.toThrow('lock timeout');
    await writing;
  });
  await migrate();
  expect(await counted()).toEqual({ all: LANES, held: 0 });
});

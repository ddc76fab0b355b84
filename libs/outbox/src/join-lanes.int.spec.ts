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

it.each([
  [8, 'JoinLanesToFour|KeepToTheLanes|JoinLanesToTwo'],
  [4, 'JoinLanesToTwo'],
])('a database with %i lanes sends what is left in any of them, in order per key', async (lanes, unknown) => {
  const { contract, topic } = await rig.newEvent();
  await dataSource.query(`ALTER TABLE outbox DROP CONSTRAINT outbox_lane`);
  if (lanes === 4) await dataSource.query(`ALTER TABLE outbox ADD CONSTRAINT outbox_lane CHECK (lane < 4)`);
  await dataSource.query(`INSERT INTO outbox_lanes (lane) SELECT generate_series($1::int, $2::int - 1)`, [
    LANES,
    lanes,
  ]);
  for (const n of upTo(3)) for (const key of ['sent', 'left']) await rig.publish(contract, topic, { key, n });
  await dataSource.query(`UPDATE outbox SET lane = lane + $1::int / 2 WHERE aggregateid = 'left'`, [lanes]);
  const relay = rig.relay();
  await relay.start();
  // Of lanes that it does not know it sends nothing, and goes past them in those that it knows.
  await eventually(async () => expect(await rig.received(topic)).toEqual(new Map([['sent', upTo(3)]])));
  await relay.stop();

  await dataSource.query(`DELETE FROM migrations WHERE name ~ $1`, [`^(${unknown})`]);
  await dataSource.runMigrations();
  await rig.relay().start();
  await eventually(async () => {
    const received = await rig.received(topic);
    expect(received.get('left')).toEqual(upTo(3));
    expect(received.get('sent')).toEqual([...upTo(3), ...upTo(3)]);
  });
  // As a replica that still knows more would write it.
  await expect(dataSource.query(`UPDATE outbox SET lane = $1`, [LANES])).rejects.toThrow('outbox_lane');
});

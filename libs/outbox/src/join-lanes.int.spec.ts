import { eventually, freshDatabase } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboxMigrations } from './index.js';
import { RelayRig, upTo } from './testing/relay.rig.js';

let dataSource: DataSource;
let rig: RelayRig;
beforeAll(async () => {
  dataSource = await freshDatabase(outboxMigrations);
  rig = new RelayRig(dataSource);
});
afterAll(() => rig.close());

it('a database with eight lanes sends what it has left in its lanes, in order per key', async () => {
  const { contract, topic } = await rig.newEvent();
  await dataSource.query(`INSERT INTO outbox_lanes (lane) SELECT generate_series(4, 7)`);
  const keys = upTo(20).map((n) => `k${n}`);
  for (const n of upTo(3)) for (const key of keys) await rig.publish(contract, topic, { key, n });
  // Where a hash modulo 8 would have put half of the keys.
  await dataSource.query(`UPDATE outbox SET lane = lane + 4 WHERE hashtext(aggregateid) % 2 = 0`);
  await dataSource.query(`DELETE FROM migrations WHERE name LIKE 'JoinLanesToFour%'`);
  await dataSource.runMigrations();
  await rig.relay().start();
  await eventually(async () => {
    const received = await rig.received(topic);
    for (const key of keys) expect(received.get(key)).toEqual(upTo(3));
  });
});

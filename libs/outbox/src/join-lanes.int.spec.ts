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

it('a database with eight lanes sends what is left in any of them, in order per key', async () => {
  const { contract, topic } = await rig.newEvent();
  await dataSource.query(`ALTER TABLE outbox DROP CONSTRAINT outbox_lane`);
  await dataSource.query(`INSERT INTO outbox_lanes (lane) SELECT generate_series(4, 7)`);
  for (const n of upTo(3)) for (const key of ['sent', 'left']) await rig.publish(contract, topic, { key, n });
  await dataSource.query(`UPDATE outbox SET lane = lane + 4 WHERE aggregateid = 'left'`);
  const relay = rig.relay();
  await relay.start();
  // Of lanes that it does not know it sends nothing, and goes past them in those that it knows.
  await eventually(async () => expect(await rig.received(topic)).toEqual(new Map([['sent', upTo(3)]])));
  await relay.stop();

  await dataSource.query(`DELETE FROM migrations WHERE name ~ '^(JoinLanesToFour|KeepToTheLanes)'`);
  await dataSource.runMigrations();
  await rig.relay().start();
  await eventually(async () => {
    const received = await rig.received(topic);
    expect(received.get('left')).toEqual(upTo(3));
    expect(received.get('sent')).toEqual([...upTo(3), ...upTo(3)]);
  });
  // As a replica that still knows eight would write it.
  await expect(dataSource.query(`UPDATE outbox SET lane = 4`)).rejects.toThrow('outbox_lane');
});

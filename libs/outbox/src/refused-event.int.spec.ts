import { randomBytes, randomUUID } from 'node:crypto';
import { eventually, freshDatabase } from '@castiron/testing';
import { afterAll, expect, it } from 'vitest';
import { outboxMigrations } from './index.js';
import { laneOf } from './lanes.js';
import { eventOn, RelayRig, upTo } from './testing/relay.rig.js';

const rig = new RelayRig(await freshDatabase(outboxMigrations));
afterAll(() => rig.close());

it('what stands beside an event that the broker refuses is not written again with each retry', async () => {
  const { contract, topic } = await rig.newEvent();
  const small = `spec.${randomUUID()}.v1`;
  await rig.createTopic(small, { 'max.message.bytes': '500' });
  const keys = upTo(64)
    .map((n) => `k${n}`)
    .filter((key) => laneOf(topic, key) === laneOf(small, 'k'));
  const publish = (some: readonly string[]) =>
    Promise.all(some.map((key) => rig.publish(contract, topic, { key, n: 1 })));
  await publish(keys.slice(0, 10));
  await rig.publish(eventOn(small), small, { key: 'k', n: 1, fill: randomBytes(1_000).toString('hex') });
  await publish(keys.slice(10));
  let failed = 0;
  // So short that the lane is let go of and taken anew meanwhile.
  await rig.relay({ leaseMs: 1_000, counted: (what) => void (failed += what === 'failed' ? 1 : 0) }).start();
  await eventually(() => expect(failed).toBeGreaterThanOrEqual(8), { within: 20_000 });
  await rig.stopRelays();
  const received = await rig.received(topic);
  for (const key of keys) expect(received.get(key)?.length ?? 0, key).toBeLessThanOrEqual(3);
  expect(keys.slice(0, 10).filter((key) => !received.has(key))).toEqual([]);
});

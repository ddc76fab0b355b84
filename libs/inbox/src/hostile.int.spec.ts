import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connect } from '@castiron/kafka';
import { sendCompressed } from '@castiron/kafka/testing';
import { eventually, freshDatabase } from '@castiron/testing';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { inboxMigrations } from './index.js';
import { event, InboxRig, KeepWhatHappened1795392000902, type Counted } from './testing/inbox.rig.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const settings = { brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal };
const within = { within: 25_000 };
const MIB = 1_048_576;
let rig: InboxRig;

beforeAll(async () => {
  rig = new InboxRig(await freshDatabase([...inboxMigrations, KeepWhatHappened1795392000902]), connect(settings));
});
afterEach(async () => {
  await rig.stopInboxes();
  expect(rig.crashes).toEqual([]);
});
afterAll(() => rig.close());

const PLAIN = '{"key":"a","n":0}';
const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;

/** Whatever anybody with the right to write may send, and the reason that operators are told. */
const HOSTILE: Record<string, { reason: string; of: (good: ReturnType<typeof event>) => object }> = {
  'without CloudEvents headers': { reason: 'missing-headers', of: () => ({ headers: {} }) },
  'with an id that is no UUID': {
    reason: 'missing-headers',
    of: ({ headers }) => ({ headers: { ...headers, ce_id: '-'.repeat(36) } }),
  },
  'of an unknown type': {
    reason: 'unknown-type',
    of: ({ headers }) => ({ headers: { ...headers, ce_type: 'spec.unheard-of.v1' } }),
  },
  'of a type called __proto__': {
    reason: 'unknown-type',
    of: ({ headers }) => ({ headers: { ...headers, ce_type: '__proto__' } }),
  },
  'without a key': { reason: 'missing-key', of: () => ({ key: null }) },
  'under another key than its own': { reason: 'bad-data', of: () => ({ key: '__proto__' }) },
  'without a value, on a topic of events': { reason: 'bad-data', of: () => ({ value: null }) },
  'that is no JSON': { reason: 'bad-json', of: () => ({ value: '{"key":' }) },
  'that is no text': { reason: 'bad-json', of: () => ({ value: Buffer.from([0xff, 0xfe, 0x00, 0x80]) }) },
  'of another shape': { reason: 'bad-data', of: () => ({ value: '{"key":"a","n":"one"}' }) },
  'nested 10,000 deep': { reason: 'bad-data', of: () => ({ value: deep }) },
  'nested 10,000 deep in a field nobody knows': {
    reason: 'too-deep',
    of: () => ({ value: `{"key":"a","n":0,"more":${deep}}` }),
  },
  'with a field __proto__': { reason: 'bad-data', of: () => ({ value: '{"key":"a","n":0,"__proto__":{"n":1}}' }) },
  'with a field __proto__ written otherwise, and within': {
    reason: 'bad-data',
    of: () => ({ value: '{"key":"a","n":0,"more":[{"\\u005f_proto__":1}]}' }),
  },
  'larger than a topic takes, unpacked': {
    reason: 'oversized',
    of: () => ({ value: Buffer.concat([Buffer.from(PLAIN), Buffer.alloc(2 * MIB, 0x20)]) }),
  },
  'with a key larger than a topic takes': { reason: 'oversized', of: () => ({ key: Buffer.alloc(2 * MIB, 0x61) }) },
  'with a header larger than a topic takes': {
    reason: 'oversized',
    of: ({ headers }) => ({ headers: { ...headers, ce_type: 'a'.repeat(2 * MIB) } }),
  },
};

describe('a message', () => {
  const received = (contract: Counted, topic: string) => ({
    topics: [topic],
    subscriptions: [rig.counting(contract, topic)],
  });

  it.each(Object.entries(HOSTILE))('%s is parked while its neighbours pass', async (_, { reason, of }) => {
    const { contract, topic } = await rig.newEvent();
    const hostile = event(contract, 'a', 0);
    await rig.inboxOf(received(contract, topic)).start();
    await sendCompressed(settings, 'gzip', [
      event(contract, 'a', 1),
      { ...hostile, ...of(hostile) },
      event(contract, 'b', 2),
    ]);
    await rig.producer.send([event(contract, 'b', 3)]);
    await eventually(async () => {
      expect(await rig.reasons(topic)).toEqual([reason]);
      expect([await rig.effects(topic, 'a'), await rig.effects(topic, 'b')]).toEqual([[1], [2, 3]]);
    }, within);
  });

  it('compressed by LZ4 is handled like any other: the broker packs it anew', async () => {
    const { contract, topic } = await rig.newEvent();
    await rig.inboxOf(received(contract, topic)).start();
    await sendCompressed(settings, 'lz4', [event(contract, 'a', 1), { ...event(contract, 'a', 0), value: 'no JSON' }]);
    await rig.producer.send([event(contract, 'a', 2)]);
    await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual([1, 2]), within);
    expect(await rig.reasons(topic)).toEqual(['bad-json']);
  });

  it('that unpacks to 60 MB costs no 60 MB: its size, a hash and a prefix are kept', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { contract, topic } = await rig.newEvent();
    await sendCompressed(settings, 'gzip', [
      { ...event(contract, 'a', 0), value: Buffer.alloc(60_000_000, 0x20) },
      event(contract, 'b', 1),
    ]);
    collect();
    const before = process.memoryUsage();
    let most = 0;
    const watch = setInterval(() => {
      const { external, heapUsed } = process.memoryUsage();
      most = Math.max(most, external + heapUsed - before.external - before.heapUsed);
    }, 5);
    await rig.inboxOf(received(contract, topic)).start();
    await eventually(async () => {
      expect(await rig.reasons(topic)).toEqual(['oversized']);
      expect(await rig.effects(topic, 'b')).toEqual([1]);
    }, within);
    clearInterval(watch);
    const [row] = await rig.parked(topic);
    expect(row?.sealed?.length).toBeLessThan(64 * 1024);
    // The client unpacks it, and gathers the pieces: that is twice its size, and all there is.
    expect(most).toBeLessThan(2.5 * 60_000_000);
  });
});

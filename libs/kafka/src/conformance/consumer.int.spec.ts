import { randomBytes, randomUUID } from 'node:crypto';
import { eventually } from '@castiron/testing';
import { afterAll, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import type { IncomingBatch, IncomingMessage } from '../index.js';
import { sendCompressed } from '../testing/compressed-producer.js';
import { forgedBatch, sendForged } from '../testing/forged-batch.js';
import { ConformanceRig, message } from '../testing/conformance.rig.js';
import { Valve } from '../testing/valve.js';

const rig = new ConformanceRig(inject('stack').kafka, inject('kafkaClient'));
afterAll(() => rig.close());

/** Nearly as large as a message may be, and not to be packed smaller. */
const large = () => randomBytes(750_000).toString('base64');
const newGroup = () => `spec-${randomUUID()}`;

/** Notes what comes. */
function collector() {
  const messages: IncomingMessage[] = [];
  return {
    messages,
    values: () => messages.map(({ value }) => String(value)),
    onBatch: async (batch: IncomingBatch) => void messages.push(...batch.messages),
  };
}

describe('a consumer', () => {
  it('reads from the beginning, and its successor from where it committed', async () => {
    const topic = await rig.newTopic({ partitions: 2 });
    const groupId = newGroup();
    await rig.send(message(topic, 'a', '1'), message(topic, 'b', '2'));
    const seen = collector();
    const first = await rig.consume({ topic, groupId, onBatch: seen.onBatch });
    await eventually(() => expect(seen.values().sort()).toEqual(['1', '2']), { within: 15_000 });
    expect(first.healthy()).toBe(true);
    await first.stop();
    expect(first.healthy()).toBe(false);
    await rig.send(message(topic, 'a', '3'));
    const later = collector();
    await rig.consume({ topic, groupId, onBatch: later.onBatch });
    await eventually(() => expect(later.values()).toEqual(['3']), { within: 15_000 });
  });

  it('goes on behind a batch of which compaction has left nothing', async () => {
    // Each batch has a segment of its own, too large to be joined with the next, and is a producer's last, which the broker keeps.
    const config = { 'segment.ms': '1', 'segment.bytes': '1048576', 'min.cleanable.dirty.ratio': '0' };
    const topic = await rig.newTopic({ kind: 'state', config });
    const [old, latest, end] = [large(), large(), 'end'];
    await rig.send(message(topic, 'a', old));
    await rig.send(message(topic, 'a', latest));
    await rig.send(message(topic, 'b', end));
    const isCleaned = async () => (await rig.valuesOf(topic)).join() === [latest, end].join();
    await eventually(isCleaned, { within: 40_000 });
    const seen = collector();
    await rig.consume({ topic, groupId: newGroup(), onBatch: seen.onBatch });
    await eventually(() => seen.values().join() === [latest, end].join(), { within: 15_000 });
  });

  it('hands on no more than twenty thousand messages at once, and all of them in turn', async () => {
    const topic = await rig.newTopic();
    const messages = Array.from({ length: 45_000 }, (_, place) => ({ key: null, value: null, place }));
    await sendForged(rig.settings, topic, forgedBatch(messages));
    const given: IncomingBatch[] = [];
    await rig.consume({ topic, groupId: newGroup(), onBatch: async (batch) => void given.push(batch) });
    const sizes = (): number[] => given.map(({ messages }) => [...messages].length);
    await eventually(() => expect(sizes()).toEqual([20_000, 20_000, 5_000]), { within: 15_000 });
    expect(given.map(({ messages: [first] }) => first?.offset)).toEqual(['0', '20000', '40000']);
  });

  it('gives the messages of a batch anew each time they are gone through, also after a time that was broken off', async () => {
    const topic = await rig.newTopic();
    await rig.send(...['1', '2', '3'].map((value) => message(topic, 'a', value)));
    const given: IncomingMessage[][] = [];
    const onBatch = async ({ messages }: IncomingBatch): Promise<void> => {
      const [first] = messages;
      given.push(first === undefined ? [] : [first], [...messages]);
    };
    await rig.consume({ topic, groupId: newGroup(), onBatch });
    await eventually(() => expect(given).toHaveLength(2), { within: 15_000 });
    const [[first] = [], all = []] = given;
    expect(all.map(({ value }) => String(value))).toEqual(['1', '2', '3']);
    expect(first).toEqual(all[0]);
    expect(first).not.toBe(all[0]);
  });

  it('fetches what it hands on in turn once, and leaves the rest where that takes long', async () => {
    const valve = await Valve.open(inject('stack').kafka.bootstrap);
    onTestFinished(() => valve.close());
    const topic = await rig.newTopic({ config: { 'compression.type': 'producer' } });
    const batch = forgedBatch(Array.from({ length: 100_000 }, (_, place) => ({ key: null, value: null, place })));
    await sendForged(rig.settings, topic, batch);
    // Nothing takes any time but what is said here, however busy the machine is.
    let passed = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => passed);
    onTestFinished(() => void vi.restoreAllMocks());
    /** @returns how often the batch was fetched by a group, a call of which takes so long */
    const fetchesWhere = async (takes: number): Promise<number> => {
      let count = 0;
      valve.answeredBytes = 0;
      const onBatch = async ({ messages }: IncomingBatch): Promise<void> => {
        count += [...messages].length;
        passed += takes;
      };
      valve.through = true;
      const consumer = await rig.consume({ topic, groupId: newGroup(), onBatch });
      await eventually(() => expect(count).toBe(100_000), { within: 15_000 });
      await consumer.stop();
      return valve.answeredBytes / batch.length;
    };
    expect(await fetchesWhere(0)).toBeLessThan(1.2);
    expect(await fetchesWhere(1_100)).toBeGreaterThan(4);
  });

  it('gives what comes as it is, keyless, empty and without a value too', async () => {
    const topic = await rig.newTopic();
    const bytes = Buffer.from([0, 255, 128, 10, 0]);
    const producer = rig.raw().producer();
    await producer.connect();
    await producer.send({
      topic,
      messages: [
        { key: null, value: bytes, headers: { bytes, twice: ['a', 'b'] } },
        { key: bytes, value: null },
        { key: '', value: '' },
      ],
    });
    await producer.disconnect();
    const seen = collector();
    await rig.consume({ topic, groupId: newGroup(), onBatch: seen.onBatch });
    await eventually(() => expect(seen.messages).toHaveLength(3), { within: 15_000 });
    const [keyless, bare, empty] = seen.messages;
    expect([keyless?.key, keyless?.value, keyless?.headers['bytes']]).toEqual([null, bytes, bytes]);
    expect([keyless?.headers['twice']].flat().map(String)).toEqual(['a', 'b']);
    expect([bare?.key, bare?.value]).toEqual([bytes, null]);
    expect([empty?.key?.length, empty?.value?.length]).toEqual([0, 0]);
    expect(seen.messages.map(({ offset }) => offset)).toEqual(['0', '1', '2']);
  });

  it('passes the largest message that a topic takes', async () => {
    const topic = await rig.newTopic();
    const largest = large();
    await rig.send(message(topic, 'k', largest));
    await rig.send(message(topic, 'k', 'small'));
    const seen = collector();
    await rig.consume({ topic, groupId: newGroup(), onBatch: seen.onBatch });
    await eventually(() => expect(seen.values().map(({ length }) => length)).toEqual([largest.length, 5]), {
      within: 15_000,
    });
  });

  it('that fails is a crash, and only what was finished before is committed', async () => {
    const topic = await rig.newTopic();
    const groupId = newGroup();
    await rig.send(message(topic, 'k', 'fine'));
    const seen = collector();
    let crash: (error: Error) => void = () => undefined;
    const crashed = new Promise<Error>((resolve) => (crash = resolve));
    const dying = await rig.consume({
      topic,
      groupId,
      onCrash: crash,
      onBatch: async (batch) => {
        if ([...batch.messages].some(({ value }) => String(value) === 'bad')) throw new Error('a bug');
        await seen.onBatch(batch);
      },
    });
    await eventually(() => expect(seen.values()).toEqual(['fine']), { within: 15_000 });
    await eventually(async () => expect(await rig.committed(groupId, topic)).toBe(1));
    await rig.send(message(topic, 'k', 'bad'), message(topic, 'k', 'after'));
    expect((await crashed).message).toBe('a bug');
    await dying.stop();
    expect(await rig.committed(groupId, topic)).toBe(1);
    const successor = collector();
    await rig.consume({ topic, groupId, onBatch: successor.onBatch });
    await eventually(() => expect(successor.values()).toEqual(['bad', 'after']), { within: 15_000 });
  });

  it('reads other partitions on while what it left for later comes again, from its first message', async () => {
    const topic = await rig.newTopic({ partitions: 4 });
    const groupId = newGroup();
    const seen = collector();
    let isLater = true;
    let left = 0;
    await rig.consume({
      topic,
      groupId,
      onBatch: async (batch) => {
        if (isLater && [...batch.messages].some(({ key }) => String(key) === 'waits')) {
          left += 1;
          batch.later();
        } else await seen.onBatch(batch);
      },
    });
    const others = Array.from({ length: 40 }, (_, n) => `other-${n}`);
    await rig.send(message(topic, 'waits', '1'), message(topic, 'waits', '2'));
    await eventually(() => expect(left).toBeGreaterThan(0), { within: 15_000 });
    await rig.send(...others.map((key) => message(topic, key, key)));
    // A quarter of them stands behind what waits.
    await eventually(() => expect(seen.values().length).toBeGreaterThan(20), { within: 15_000 });
    await eventually(() => expect(left).toBeGreaterThan(1), { within: 15_000 });
    expect(seen.values()).not.toContain('1');
    isLater = false;
    await eventually(() => expect(seen.values().sort()).toEqual(['1', '2', ...others].sort()), { within: 15_000 });
    const mine = seen.values().filter((value) => !value.startsWith('other'));
    expect(mine).toEqual(['1', '2']);
  });

  it('goes on behind what it says is done of what it leaves for later', async () => {
    const topic = await rig.newTopic();
    const groupId = newGroup();
    const seen = collector();
    await rig.send(...['1', '2', '3'].map((value) => message(topic, 'k', value)));
    await rig.consume({
      topic,
      groupId,
      onBatch: async (batch) => {
        const [first] = batch.messages;
        if (first === undefined) return;
        await seen.onBatch({ ...batch, messages: [first] });
        batch.later(first.offset);
      },
    });
    await eventually(() => expect(seen.values()).toEqual(['1', '2', '3']), { within: 25_000 });
    await eventually(async () => expect(await rig.committed(groupId, topic)).toBe(3), { within: 15_000 });
  });

  it('that is stopped ends its work first, of which nothing is lost', async () => {
    const topic = await rig.newTopic();
    const groupId = newGroup();
    await rig.send(message(topic, 'k', '1'));
    let end = (): void => undefined;
    let stale: boolean | undefined;
    const working = new Promise<void>((resolve) => (end = resolve));
    const seen = collector();
    const consumer = await rig.consume({
      topic,
      groupId,
      onBatch: async (batch) => {
        await seen.onBatch(batch);
        await working;
        stale = batch.isStale();
      },
    });
    await eventually(() => expect(seen.values()).toEqual(['1']), { within: 15_000 });
    let stopped = false;
    const stopping = consumer.stop().then(() => (stopped = true));
    // A round trip later it would have stopped, if it did not wait.
    await rig.admin.topicNames();
    expect(stopped).toBe(false);
    end();
    await stopping;
    expect(stale).toBe(true);
    await rig.send(message(topic, 'k', '2'));
    const left = ['1', '2'].slice(Math.max(0, await rig.committed(groupId, topic)));
    const successor = collector();
    await rig.consume({ topic, groupId, onBatch: successor.onBatch });
    await eventually(() => expect(successor.values()).toEqual(left), { within: 15_000 });
  });

  it('that is stopped has committed all that it finished', async () => {
    const topic = await rig.newTopic();
    const groupId = newGroup();
    const seen = collector();
    const consumer = await rig.consume({ topic, groupId, onBatch: seen.onBatch });
    for (const n of [1, 2, 3, 4, 5]) {
      await rig.send(message(topic, 'k', String(n)));
      await eventually(() => expect(seen.values()).toHaveLength(n), { within: 15_000 });
    }
    await consumer.stop();
    expect(await rig.committed(groupId, topic)).toBe(5);
  });

  it.each(['lz4', 'snappy', 'zstd'] as const)('reads what was packed by %s, or says that it cannot', async (codec) => {
    const topic = await rig.newTopic({ config: { 'compression.type': 'producer' } });
    await sendCompressed(rig.settings, codec, [{ topic, key: 'k', value: 'packed', headers: {} }]);
    const outcome = await new Promise<string>((resolve) => {
      void rig.consume({
        topic,
        groupId: newGroup(),
        onBatch: async ({ messages: [first] }) => resolve(String(first?.value)),
        onCrash: () => resolve('crash'),
      });
    });
    // A client that cannot must end: one that stands still in silence is worse.
    expect(outcome).toBe(inject('kafkaClient') === 'shipped' ? 'crash' : 'packed');
  });

  it('is told where its topic is not there', async () => {
    const topic = `spec.${randomUUID()}.v1`;
    const { onBatch } = collector();
    await expect(rig.consume({ topic, groupId: newGroup(), onBatch })).rejects.toThrow();
  });
});

describe('a consumer of transactions', () => {
  it('gets what is committed and nothing else, however much was aborted in between', async () => {
    const topic = await rig.newTopic();
    const transactionalId = `spec-${randomUUID()}`;
    const producer = rig.raw().producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    // By one producer, so that several ends of its transactions lie in one fetch.
    for (const how of ['abort', 'commit', 'abort', 'abort', 'commit'] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ key: 'k', value: how }] });
      await transaction[how]();
    }
    await producer.disconnect();
    const seen = collector();
    await rig.consume({ topic, groupId: newGroup(), onBatch: seen.onBatch });
    await rig.send(message(topic, 'k', 'last'));
    await eventually(() => expect(seen.values()).toContain('last'), { within: 15_000 });
    expect(seen.values()).toEqual(['commit', 'commit', 'last']);
  });

  it('gets nothing of what several producers aborted on one partition, in whatever order', async () => {
    const topic = await rig.newTopic();
    const values = ['first', 'second', 'third', 'fourth'];
    const open = [];
    for (const value of values) open.push(await rig.openTransaction(message(topic, 'k', value)));
    // In another order than they were begun.
    for (const nth of [2, 0, 3]) await open[nth]?.abort();
    await open[1]?.commit();
    await rig.send(message(topic, 'k', 'last'));
    const seen = collector();
    await rig.consume({ topic, groupId: newGroup(), onBatch: seen.onBatch });
    await eventually(() => expect(seen.values()).toContain('last'), { within: 15_000 });
    expect(seen.values()).toEqual(['second', 'last']);
  });

  it('gets nothing of an aborted transaction that is larger than a fetch', async () => {
    const topic = await rig.newTopic();
    const messages = Array.from({ length: 5 }, () => message(topic, 'k', large()));
    await (await rig.openTransaction(...messages)).abort();
    await rig.send(message(topic, 'k', 'last'));
    const seen = collector();
    await rig.consume({ topic, groupId: newGroup(), maxBytes: 1_048_576, onBatch: seen.onBatch });
    await eventually(() => expect(seen.values()).toContain('last'), { within: 15_000 });
    expect(seen.values().map(({ length }) => length)).toEqual([4]);
  });

  it('leaves no lag once it has read everything, aborted records and markers included', async () => {
    const topic = await rig.newTopic();
    const groupId = newGroup();
    const seen = collector();
    await rig.consume({ topic, groupId, onBatch: seen.onBatch });
    await (await rig.openTransaction(message(topic, 'k', '1'))).commit();
    await (await rig.openTransaction(message(topic, 'k', 'aborted'))).abort();
    // Two records, two markers.
    await eventually(async () => expect(await rig.committed(groupId, topic)).toBe(4), { within: 15_000 });
    expect(seen.values()).toEqual(['1']);
  });
});

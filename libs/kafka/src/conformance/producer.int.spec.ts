import type { WireMessage } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { randomUUID } from 'node:crypto';
import { readAll } from '../index.js';
import { ConformanceRig, message } from '../testing/conformance.rig.js';
import { Valve } from '../testing/valve.js';

const rig = new ConformanceRig(inject('stack').kafka, inject('kafkaClient'));
afterAll(() => rig.close());

describe('a producer', () => {
  it('keeps the order of a key over many sends', async () => {
    const topic = await rig.newTopic({ partitions: 3 });
    const producer = rig.kafka.producer();
    const sends = Array.from({ length: 50 }, (_, n) =>
      producer.send([message(topic, 'k', `${n}a`), message(topic, 'k', `${n}b`)]),
    );
    await Promise.all(sends);
    await producer.close();
    expect(await rig.valuesOf(topic)).toEqual(Array.from({ length: 50 }, (_, n) => [`${n}a`, `${n}b`]).flat());
  });

  it('works again after a failed send', async () => {
    const topic = await rig.newTopic();
    const producer = rig.kafka.producer();
    await producer.send([message(topic, 'k', '1')]);
    const tooLarge = 'x'.repeat(3 * 1_048_576);
    await expect(producer.send([message(topic, 'k', tooLarge)])).rejects.toThrow();
    await producer.send([message(topic, 'k', '2')]);
    await producer.close();
    expect(await rig.valuesOf(topic)).toEqual(['1', '2']);
  });

  it('sends keys, values and headers as they are', async () => {
    const topic = await rig.newTopic();
    const sent: WireMessage[] = [
      { topic, key: 'ключ', value: 'wert € 🗝 \u0000', headers: { ce_type: 'ä.v1', empty: '', '𝄞': '𝄞' } },
      { topic, key: '', value: '', headers: {} },
      { topic, key: 'gone', value: null, headers: { ce_id: '1' } },
      { topic, key: '__proto__', value: '{}', headers: {} },
    ];
    const encoder = rig.kafka.encoder();
    await rig.send(...sent);
    await rig.send(...sent.map((one) => encoder.encode(one)));
    const received = [];
    for await (const { key, value, headers } of readAll(rig.kafka, topic)) {
      const text = Object.entries(headers).map(([name, bytes]) => [name, String(bytes)]);
      received.push({ topic, key: String(key), value: value?.toString() ?? null, headers: Object.fromEntries(text) });
    }
    expect(received).toEqual([...sent, ...sent]);
  });

  it('takes encoded messages among others, in order, and again after a send that failed', async () => {
    const topic = await rig.newTopic();
    const producer = rig.kafka.producer();
    const encoder = rig.kafka.encoder();
    const encoded = (value: string) => encoder.encode(message(topic, 'k', value));
    const [first, third] = [encoded('1'), encoded('3')];
    const tooLarge = message(topic, 'k', 'x'.repeat(3 * 1_048_576));
    await expect(producer.send([first, tooLarge])).rejects.toThrow();
    await producer.send([first, message(topic, 'k', '2'), third]);
    await producer.send([encoded('4')]);
    await producer.close();
    expect(await rig.valuesOf(topic)).toEqual(['1', '2', '3', '4']);
  });

  it('puts a key into the partition where every other client puts it', async () => {
    // What Kafka's own tests say that its hash of these is.
    const hashes = {
      '21': -973932308,
      foobar: -790332482,
      'a-little-bit-long-string': -985981536,
      'a-little-bit-longer-string': -1486304829,
      lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8: -58897971,
      abc: 479470107,
    };
    const partitions = 7;
    const topic = await rig.newTopic({ partitions });
    await rig.send(...Object.keys(hashes).map((key) => message(topic, key, 'v')));
    const places: Record<string, number> = {};
    for await (const { key, partition } of readAll(rig.kafka, topic)) places[String(key)] = partition;
    const expected = Object.entries(hashes).map(([key, hash]) => [key, (hash & 0x7fffffff) % partitions]);
    expect(places).toEqual(Object.fromEntries(expected));
  });

  it('says of each send whether it was written although it is closed meanwhile, and takes no more', async () => {
    const topic = await rig.newTopic();
    const producer = rig.kafka.producer();
    const sends = ['1', '2', '3'].map((value) => producer.send([message(topic, 'k', value)]).then(() => value));
    const [outcomes] = await Promise.all([Promise.allSettled(sends), producer.close()]);
    await expect(producer.send([message(topic, 'k', '4')])).rejects.toThrow();
    const written = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    expect(await rig.valuesOf(topic)).toEqual(written);
  });

  it('makes no topics', async () => {
    const producer = rig.with({ leaseMs: 2_000 }).producer();
    const topic = `spec.${randomUUID()}.v1`;
    await expect(producer.send([message(topic, 'k', 'v')])).rejects.toThrow();
    await producer.close();
    expect(await rig.admin.topicNames()).not.toContain(topic);
  });
});

describe('a producer whose network fails', () => {
  let valve: Valve;
  beforeEach(async () => {
    valve = await Valve.open(inject('stack').kafka.bootstrap);
  });
  afterEach(() => valve.close());

  it('begins anew after a lost acknowledgement, so that its next message is not taken for the lost one', async () => {
    const topic = await rig.newTopic();
    valve.through = true;
    const producer = rig.kafka.producer();
    await producer.send([message(topic, 'k', '1')]);
    // Of all replicas that are in step, or what was acknowledged goes with the broker.
    expect([...valve.acks]).toEqual([-1]);
    valve.state = 'cut';
    await expect(producer.send([message(topic, 'k', '2')])).rejects.toThrow();
    valve.state = 'open';
    await producer.send([message(topic, 'k', '3')]);
    await producer.close();
    valve.through = false;
    expect(await rig.valuesOf(topic)).toEqual(['1', '2', '3']);
  });

  it('gives up a send without an answer in half a lease, and then loses nothing and keeps the order', async () => {
    const topic = await rig.newTopic();
    valve.through = true;
    const producer = rig.with({ leaseMs: 2_000 }).producer();
    await producer.send([message(topic, 'k', '1')]);
    valve.state = 'deaf';
    const unanswered = producer.send([message(topic, 'k', '2')]);
    await Promise.all([
      expect(unanswered).rejects.toThrow(),
      // Nothing more of it can leave: who took the lease over is alone.
      eventually(() => !valve.connected, { within: 1_900 }),
    ]);
    valve.state = 'open';
    await producer.send([message(topic, 'k', '2')]);
    await producer.send([message(topic, 'k', '3')]);
    await producer.close();
    valve.through = false;
    const values = await rig.valuesOf(topic);
    expect(values.filter((value, at) => values.indexOf(value) === at)).toEqual(['1', '2', '3']);
    expect(values.at(-1)).toBe('3');
  });

  it('does not hang on closing', async () => {
    const topic = await rig.newTopic();
    valve.through = true;
    const producer = rig.with({ leaseMs: 2_000 }).producer();
    await producer.send([message(topic, 'k', '1')]);
    valve.state = 'deaf';
    let closed = false;
    void producer.close().then(() => (closed = true));
    await eventually(() => closed, { within: 4_000 });
  });
});

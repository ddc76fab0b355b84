import { randomBytes, randomUUID } from 'node:crypto';
import { eventually } from '@castiron/testing';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { readAll, type ReadOptions } from '../index.js';
import { ConformanceRig, message } from '../testing/conformance.rig.js';
import { Valve } from '../testing/valve.js';

const { kafka } = inject('stack');
const rig = new ConformanceRig(kafka, inject('kafkaClient'));
afterAll(() => rig.close());

describe('reading a topic', () => {
  it('gives every message up to the end, in order, and leaves no trace', async () => {
    const topic = await rig.newTopic({ partitions: 2 });
    const sent = Array.from({ length: 5_000 }, (_, n) => message(topic, n % 2 === 0 ? 'even' : 'odd', String(n)));
    await rig.send(...sent);
    const groupId = `spec-${randomUUID()}`;
    const read = new Map<string, string[]>();
    for await (const { key, value } of readAll(rig.kafka, topic, { groupId })) {
      read.set(String(key), [...(read.get(String(key)) ?? []), String(value)]);
    }
    for (const key of ['even', 'odd'])
      expect(read.get(key)).toEqual(sent.filter((it) => it.key === key).map(({ value }) => value));
    expect(await rig.committed(groupId, topic)).toBe(-1);
  });

  it('ends where there is nothing', async () => {
    expect(await rig.valuesOf(await rig.newTopic({ partitions: 2 }))).toEqual([]);
    await expect(rig.valuesOf(`spec.${randomUUID()}.v1`)).rejects.toThrow();
  });

  it('ends behind what was aborted', async () => {
    const topic = await rig.newTopic();
    await rig.send(message(topic, 'k', '1'));
    await (await rig.openTransaction(message(topic, 'k', 'aborted'))).abort();
    expect(await rig.valuesOf(topic)).toEqual(['1']);
  });

  it('gives what is not committed too, where it is to, and waits for no transaction then', async () => {
    const topic = await rig.newTopic();
    await (await rig.openTransaction(message(topic, 'k', 'aborted'))).abort();
    const open = await rig.openTransaction(message(topic, 'k', 'open'));
    const values: string[] = [];
    for await (const { value } of readAll(rig.kafka, topic, { uncommitted: true })) values.push(String(value));
    expect(values).toEqual(['aborted', 'open']);
    await open.abort();
  });

  it('waits for a transaction that was open before the end', async () => {
    const topic = await rig.newTopic();
    const open = await rig.openTransaction(message(topic, 'k', 'aborted'));
    await (await rig.openTransaction(message(topic, 'k', 'committed'))).commit();
    let ended = false;
    const reading = rig.valuesOf(topic).finally(() => (ended = true));
    // The aborted record holds the committed one back: the end is past both, and the reading is to wait for it.
    await expect(eventually(() => expect(ended).toBe(true), { within: 3_000 })).rejects.toThrow();
    await open.abort();
    expect(await reading).toEqual(['committed']);
  });

  it('gives one partition alone, where messages name it, and waits for no transaction on another', async () => {
    const topic = await rig.newTopic({ partitions: 3 });
    const at = (partition: number, value: string) => ({ ...message(topic, 'k', value), partition });
    await rig.send(at(0, 'a'), at(1, 'b'), at(2, 'c'), at(1, 'd'));
    const open = await rig.openTransaction(at(2, 'aborted'));
    const values: string[] = [];
    for await (const { value } of readAll(rig.kafka, topic, { partition: 1 })) values.push(String(value));
    expect(values).toEqual(['b', 'd']);
    await open.abort();
  });

  it('gives only what stands among the last offsets of each partition, where it is to', async () => {
    const topic = await rig.newTopic({ partitions: 2 });
    const at = (partition: number, value: string) => ({ ...message(topic, 'k', value), partition });
    await rig.send(...Array.from({ length: 10 }, (_, n) => at(0, String(n))), at(1, 'few'));
    await (await rig.openTransaction(at(0, 'aborted'))).abort();
    // The abort is answered before its marker is written.
    await eventually(async () =>
      expect(await rig.admin.endOffsets(topic)).toContainEqual({ partition: 0, offset: '12' }),
    );
    const lastOf = async (partition: number) => {
      const values: string[] = [];
      for await (const { value } of readAll(rig.kafka, topic, { partition, last: 4 })) values.push(String(value));
      return values;
    };
    // The record that was aborted and its marker take two.
    expect(await lastOf(0)).toEqual(['8', '9']);
    expect(await lastOf(1)).toEqual(['few']);
  });

  it('gives what stands from an offset of each partition on, where it is to', async () => {
    const topic = await rig.newTopic({ partitions: 3 });
    const at = (partition: number, value: string) => ({ ...message(topic, 'k', value), partition });
    await rig.send(...Array.from({ length: 5 }, (_, n) => at(0, String(n))), at(1, 'known'), at(2, 'new'));
    const readFrom = async (...from: [partition: number, offset: bigint][]) => {
      const values: string[] = [];
      for await (const { value } of readAll(rig.kafka, topic, { from: new Map(from) })) values.push(String(value));
      return values.sort();
    };
    expect(await readFrom([0, 3n], [1, 1n])).toEqual(['3', '4', 'new']);
    expect(await readFrom([0, 5n], [1, 1n], [2, 1n])).toEqual([]);
    expect(await readFrom([0, 9n], [1, 9n], [2, 0n])).toEqual(['new']);
  });

  it('takes little from the broker that it is not to give', async () => {
    const topic = await rig.newTopic({ partitions: 3 });
    const at = (partition: number, value: string) => ({ ...message(topic, 'k', value), partition });
    const large = randomBytes(75_000).toString('base64');
    for (let n = 0; n < 10; n += 1) await rig.send(at(0, large), at(1, large));
    await rig.send(at(2, 'small'));
    const read = async (options: ReadOptions) => {
      const values: string[] = [];
      for await (const { value } of readAll(rig.kafka, topic, options)) values.push(String(value));
      return values;
    };
    const valve = await Valve.open(kafka.bootstrap);
    valve.through = true;
    try {
      expect(await read({ partition: 2 })).toEqual(['small']);
      expect(valve.answeredBytes).toBeLessThan(100_000);
      expect(await read({ partition: 1, last: 1 })).toEqual([large]);
      expect(valve.answeredBytes).toBeLessThan(300_000);
    } finally {
      await valve.close();
    }
  });

  it('goes on behind the end where it is to, until it is told to stop', async () => {
    const topic = await rig.newTopic();
    await rig.send(message(topic, 'k', '1'));
    const stopping = new AbortController();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { value } of readAll(rig.kafka, topic, { follow: true, signal: stopping.signal }))
        seen.push(String(value));
    })();
    await eventually(() => expect(seen).toEqual(['1']));
    await rig.send(message(topic, 'k', '2'));
    await eventually(() => expect(seen).toEqual(['1', '2']));
    stopping.abort();
    await following;
  });

  it('can be left early', async () => {
    const topic = await rig.newTopic();
    await rig.send(message(topic, 'k', '1'), message(topic, 'k', '2'));
    for await (const { value, partition, offset, key, timestamp } of readAll(rig.kafka, topic)) {
      expect({ value: String(value), key: String(key), partition, offset }).toEqual({
        value: '1',
        key: 'k',
        partition: 0,
        offset: '0',
      });
      expect(Math.abs(Date.now() - timestamp.getTime())).toBeLessThan(60_000);
      break;
    }
  });
});

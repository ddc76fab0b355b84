import { randomUUID } from 'node:crypto';
import { eventually } from '@castiron/testing';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { readAll } from '../index.js';
import { ConformanceRig, message } from '../testing/conformance.rig.js';

const rig = new ConformanceRig(inject('stack').kafka, inject('kafkaClient'));
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

  it('waits for a transaction that was open before the end', async () => {
    const topic = await rig.newTopic();
    const open = await rig.openTransaction(message(topic, 'k', 'aborted'));
    const producer = rig.kafka.transactionalProducer(`spec-${randomUUID()}`);
    await producer.open();
    await producer.send([message(topic, 'k', 'committed')]);
    await producer.close();
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

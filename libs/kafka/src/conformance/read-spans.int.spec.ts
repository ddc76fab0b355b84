import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, inject, it } from 'vitest';
import type { Span } from '../index.js';
import { ConformanceRig, message } from '../testing/conformance.rig.js';

const rig = new ConformanceRig(inject('stack').kafka, inject('kafkaClient'));
afterAll(() => rig.close());

async function read(...spans: Span[]): Promise<{ values: string[]; gone: readonly Span[] }> {
  const values: string[] = [];
  const gone = await rig.kafka.readSpans(spans, ({ offset, value }, { partition }) =>
    values.push(`${partition}/${offset} ${String(value)}`),
  );
  return { values, gone };
}

describe('reading pieces of partitions', () => {
  it('gives what stands there and no more, however it was batched', async () => {
    const topic = await rig.newTopic({ partitions: 2 });
    const at = (partition: number, value: string) => ({ ...message(topic, 'k', value), partition });
    await rig.send(...Array.from({ length: 10 }, (_, n) => at(0, String(n))), at(1, 'a'));
    await rig.send(at(1, 'b'), at(1, 'c'));
    const { values, gone } = await read(
      { topic, partition: 0, from: 3n, to: 6n },
      { topic, partition: 1, from: 1n, to: 3n },
      { topic, partition: 1, from: 3n, to: 3n },
    );
    expect(values).toEqual(['0/3 3', '0/4 4', '0/5 5', '1/1 b', '1/2 c']);
    expect(gone).toEqual([]);
  });

  it('gives all of what is longer than an answer of the broker', async () => {
    const topic = await rig.newTopic();
    const large = () => randomBytes(400_000).toString('base64');
    for (let n = 0; n < 24; n += 1) await rig.send(message(topic, 'k', large()));
    let count = 0;
    await rig.kafka.readSpans([{ topic, partition: 0, from: 0n, to: 24n }], () => (count += 1));
    expect(count).toBe(24);
  });

  it('names what the partition does not reach', async () => {
    const topic = await rig.newTopic();
    await rig.send(message(topic, 'k', '1'));
    const cut = { topic, partition: 0, from: 5n, to: 1n };
    expect(await read(cut)).toEqual({ values: [], gone: [cut] });
  });

  it('tells where there is no such topic', async () => {
    await expect(read({ topic: 'spec.nowhere.v1', partition: 0, from: 0n, to: 1n })).rejects.toThrow();
  });
});

describe('a producer', () => {
  it('tells where what it sent to each partition begins', async () => {
    const topic = await rig.newTopic({ partitions: 2 });
    const at = (partition: number, value: string) => ({ ...message(topic, 'k', value), partition });
    const producer = rig.kafka.producer();
    await producer.send([at(0, 'a'), at(0, 'b')]);
    const sent = await producer.send([at(1, 'c'), at(0, 'd'), at(0, 'e')]);
    await producer.close();
    expect([...sent].sort((a, b) => a.partition - b.partition)).toEqual([
      { topic, partition: 0, offset: 2n },
      { topic, partition: 1, offset: 0n },
    ]);
  });
});

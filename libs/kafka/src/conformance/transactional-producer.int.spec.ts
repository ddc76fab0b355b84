import { randomUUID } from 'node:crypto';
import { eventually } from '@castiron/testing';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { ConformanceRig, message } from '../testing/conformance.rig.js';
import { Valve } from '../testing/valve.js';

const rig = new ConformanceRig(inject('stack').kafka, inject('kafkaClient'));
afterAll(() => rig.close());

const newId = () => `spec-${randomUUID()}`;

describe('a transactional producer', () => {
  it('writes all or nothing, in one transaction with its journal', async () => {
    const topic = await rig.newTopic({ partitions: 2 });
    const journal = await rig.newTopic({ kind: 'state' });
    const producer = rig.kafka.transactionalProducer(newId());
    await producer.open();
    await producer.send([message(topic, 'a', '1'), message(topic, 'b', '2')], [message(journal, '7', 'batch 1')]);
    await producer.send([message(topic, 'a', '3')], [message(journal, '7', 'batch 2')]);
    const tooLarge = 'x'.repeat(3 * 1_048_576);
    await expect(producer.send([message(topic, 'a', 'never'), message(journal, 'b', tooLarge)])).rejects.toThrow();
    await expect(producer.send([message(topic, 'a', 'never')])).rejects.toThrow(/not open/);
    await producer.open();
    await producer.send([message(topic, 'a', '4')]);
    await producer.close();
    expect((await rig.valuesOf(topic)).sort()).toEqual(['1', '2', '3', '4']);
    expect(await rig.valuesOf(journal)).toEqual(['batch 1', 'batch 2']);
  });

  it('writes the records of its journal last and in the same transaction', async () => {
    const topic = await rig.newTopic();
    const producer = rig.kafka.transactionalProducer(newId());
    await producer.open();
    const batch = Array.from({ length: 100 }, (_, n) => message(topic, `k${n}`, String(n)));
    await producer.send(batch, [message(topic, '7', 'journal')]);
    await producer.close();
    expect(await rig.valuesOf(topic)).toEqual([...batch.map(({ value }) => value), 'journal']);
    // All of them, and one marker.
    expect(await rig.admin.endOffsets(topic)).toEqual([{ partition: 0, offset: '102' }]);
  });

  it('is shut out by its successor', async () => {
    const topic = await rig.newTopic();
    const id = newId();
    const [first, second] = [rig.kafka.transactionalProducer(id), rig.kafka.transactionalProducer(id)];
    await first.open();
    await first.send([message(topic, 'k', 'before')]);
    await second.open();
    await expect(first.send([message(topic, 'k', 'stale')])).rejects.toThrow();
    await second.send([message(topic, 'k', 'after')]);
    await Promise.all([first.close(), second.close()]);
    expect(await rig.valuesOf(topic)).toEqual(['before', 'after']);
  });

  it('does not sleep between transactions', async () => {
    const topic = await rig.newTopic({ partitions: 12 });
    const producer = rig.kafka.transactionalProducer(newId());
    await producer.open();
    const batch = Array.from({ length: 48 }, (_, n) => message(topic, `k${n}`, String(n)));
    const start = Date.now();
    for (let n = 0; n < 50; n += 1) await producer.send(batch);
    // A first retry of 300 ms, as kafkajs has it, follows nearly every commit over several partitions: 15 s.
    expect(Date.now() - start).toBeLessThan(7_500);
    await producer.close();
  });
});

describe('a transactional producer whose network fails', () => {
  let valve: Valve;
  beforeEach(async () => {
    valve = await Valve.open(inject('stack').kafka.bootstrap);
  });
  afterEach(() => valve.close());

  it('is shut out by its successor with what it has under way, too', async () => {
    const topic = await rig.newTopic();
    const id = newId();
    const [first, second] = [rig.kafka.transactionalProducer(id), rig.kafka.transactionalProducer(id)];
    valve.through = true;
    await first.open();
    await first.send([message(topic, 'k', 'before')]);
    valve.through = false;
    valve.state = 'held';
    const stale = first.send([message(topic, 'k', 'stale')]);
    stale.catch(() => undefined);
    await eventually(() => valve.holds);
    await second.open();
    await second.send([message(topic, 'k', 'after')]);
    valve.state = 'open';
    await expect(stale).rejects.toThrow();
    await second.send([message(topic, 'k', 'last')]);
    await Promise.all([first.close(), second.close()]);
    expect(await rig.valuesOf(topic)).toEqual(['before', 'after', 'last']);
  });

  it('knows after a lost answer whether all of it is there, once it is open again', async () => {
    const [topic, journal] = [await rig.newTopic(), await rig.newTopic({ kind: 'state' })];
    valve.through = true;
    const producer = rig.kafka.transactionalProducer(newId());
    await producer.open();
    await producer.send([message(topic, 'k', '1')], [message(journal, '7', '1')]);
    valve.state = 'cut';
    const unknown = producer.send([message(topic, 'k', '2')], [message(journal, '7', '2')]).then(
      () => ['2'],
      () => [],
    );
    await eventually(() => !valve.connected);
    valve.state = 'open';
    const acknowledged = await unknown;
    await producer.open();
    const known = await rig.valuesOf(journal);
    await producer.send([message(topic, 'k', '3')], [message(journal, '7', '3')]);
    await producer.close();
    valve.through = false;
    expect(known).toEqual(expect.arrayContaining(['1', ...acknowledged]));
    expect(await rig.valuesOf(topic)).toEqual([...known, '3']);
    expect(await rig.valuesOf(journal)).toEqual([...known, '3']);
  });
});

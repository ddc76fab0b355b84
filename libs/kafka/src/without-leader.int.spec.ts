import { randomUUID } from 'node:crypto';
import { defineTopic, type Topic } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { groupPlaces } from './group-places.js';
import { readAll, type Admin, type ReadOptions } from './index.js';
import { ConformanceRig, message } from './testing/conformance.rig.js';
import { Valve } from './testing/valve.js';

// Nobody but kafkajs is told over this wire who leads.
let rig: ConformanceRig;
let valve: Valve;
/** The rig's own was connected before. */
let admin: Admin;
let [sick, healthy] = ['', ''];
beforeEach(async () => {
  const { kafka } = inject('stack');
  rig = new ConformanceRig(kafka, 'shipped');
  [sick, healthy] = [await rig.newTopic({ partitions: 2 }), await rig.newTopic()];
  valve = await Valve.open(kafka.bootstrap);
  valve.through = true;
  admin = rig.with({}).admin();
  valve.leaderless.add(`${sick}/1`);
});
afterEach(async () => {
  await Promise.all([admin.close(), rig.close()]);
  await valve.close();
});

const within = { within: 15_000 };
const inPartition = (topic: string, partition: number, value: string) => ({ ...message(topic, 'k', value), partition });

describe('a partition that nobody leads', () => {
  it.each(['not read', 'read'])(
    'stops nothing that is read beside it, and is read once it is led: %s before',
    async (how) => {
      const groupId = `spec-${randomUUID()}`;
      const seen: string[] = [];
      const crashes: Error[] = [];
      const reading = () =>
        rig.consume({
          topic: sick,
          topics: [sick, healthy],
          groupId,
          onBatch: ({ messages }) =>
            Promise.resolve(void seen.push(...[...messages].map(({ value }) => String(value)))),
          onCrash: (error) => crashes.push(error),
        });
      const lost = [...valve.leaderless];
      valve.leaderless.clear();
      await rig.send(inPartition(sick, 1, '1'));
      if (how === 'read') {
        const before = await reading();
        await eventually(() => expect(seen).toEqual(['1']), within);
        await before.stop();
        await rig.send(inPartition(sick, 1, '2'));
      }
      for (const name of lost) valve.leaderless.add(name);
      seen.splice(0);
      await rig.send(inPartition(sick, 0, 'beside'), message(healthy, 'k', 'other'));
      const consumer = await reading();
      await eventually(() => expect(new Set(seen)).toEqual(new Set(['beside', 'other'])), within);
      expect(consumer.healthy()).toBe(true);
      valve.leaderless.clear();
      await eventually(() => expect(seen.slice(2)).toEqual([how === 'read' ? '2' : '1']), { within: 5_000 });
      expect(crashes).toEqual([]);
    },
  );

  it('keeps no fenced producer from opening, nor from sending elsewhere', async () => {
    const producer = rig.kafka.fencedProducer(`spec-${randomUUID()}`);
    await producer.open();
    await producer.send([message(healthy, 'k', '1')]);
    await expect(producer.send([{ ...message(sick, 'k', '1'), partition: 1 }])).rejects.toThrow();
    await producer.open();
    await producer.send([message(healthy, 'k', '2')]);
    valve.leaderless.clear();
    await producer.send([inPartition(sick, 1, '2')]);
    await producer.close();
    expect(await rig.valuesOf(healthy)).toEqual(['1', '2']);
    expect(await rig.valuesOf(sick)).toEqual(['2']);
  });

  it('keeps no topic from being told of, and where a group stands on the others is told', async () => {
    expect(await admin.topicNames()).toEqual(expect.arrayContaining([sick, healthy]));
    const places = await groupPlaces(rig.settings, `spec-${randomUUID()}`, [sick, healthy]);
    expect(places.map(({ topic, partition }) => `${topic}/${partition}`).sort()).toEqual(
      [`${sick}/0`, `${healthy}/0`].sort(),
    );
  });

  it('keeps no other of its topic from being read by itself, and whoever would read it is told', async () => {
    await rig.send(inPartition(sick, 0, '1'));
    const read = async (options: ReadOptions) => {
      const values: string[] = [];
      for await (const { value } of readAll(rig.kafka, sick, options)) values.push(String(value));
      return values;
    };
    expect(await read({ partition: 0 })).toEqual(['1']);
    for (const options of [{ partition: 1 }, {}])
      await expect(read(options)).rejects.toThrow(`the end of ${sick} cannot be told: nobody leads partition 1`);
  });

  describe('whose topic is made', () => {
    let topic: Topic;
    beforeEach(() => {
      topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'events', partitions: 2 });
      valve.leaderless.add(`${topic.name}/1`);
    });
    const isMade = () => eventually(async () => expect(await rig.admin.topicNames()).toContain(topic.name), within);
    const isAskedOf = async () => {
      const { answers } = valve;
      await eventually(() => expect(valve.answers).toBeGreaterThan(answers + 10), within);
    };

    it.each(['once', 'again'])('is waited for, by who makes it %s', async (how) => {
      const making = admin.createTopics([topic]);
      await isMade();
      let isDone = false;
      const waiting = (how === 'once' ? making : admin.createTopics([topic])).then(() => (isDone = true));
      await isAskedOf();
      expect(isDone).toBe(false);
      valve.leaderless.clear();
      await Promise.all([making, waiting]);
    });

    it('is not waited for without end, and what kept the broker from telling of it is told', async () => {
      const making = expect(admin.createTopics([topic])).rejects.toMatchObject({
        message: `not all partitions of ${topic.name} are known to have a leader`,
        cause: { name: expect.stringContaining('KafkaJS') },
      });
      await isMade();
      await isAskedOf();
      valve.state = 'cut';
      await eventually(() => expect(valve.connected).toBe(false), within);
      const now = Date.now.bind(Date);
      const late = vi.spyOn(Date, 'now').mockImplementation(() => now() + 15_000);
      onTestFinished(() => late.mockRestore());
      await making;
    });
  });
});

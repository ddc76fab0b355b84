import { randomUUID } from 'node:crypto';
import { defineTopic, type WireMessage } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { BaseOffsets } from './base-offsets.js';
import { CommittingConsumer } from './consumer.js';
import { groupPlaces, type GroupPlace } from './group-places.js';
import { connect, readAll, type Consumer, type KafkaSettings } from './index.js';
import { Valve } from './testing/valve.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const { bootstrap } = inject('stack').kafka;
const settings: KafkaSettings = { brokers: [bootstrap], clientId: 'spec', ...principal };
const kafka = connect(settings);
const admin = kafka.admin();

let valve: Valve;
beforeEach(async () => {
  valve = await Valve.open(bootstrap);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await valve.close();
});
afterAll(() => admin.close());

async function newTopic(): Promise<string> {
  const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'events', partitions: 1 });
  await admin.createTopics([topic]);
  return topic.name;
}

const message = (topic: string, value: string): WireMessage => ({ topic, key: 'k', value, headers: {} });

describe('messages that the broker took for older ones', () => {
  beforeEach(() => {
    vi.spyOn(BaseOffsets.prototype, 'check').mockImplementationOnce(() => {
      throw new Error('offsets fell');
    });
  });

  it('are not acknowledged by a producer', async () => {
    const topic = await newTopic();
    const producer = kafka.producer();
    valve.through = true;
    await expect(producer.send([message(topic, '1')])).rejects.toThrow('offsets fell');
    // The next message goes by a producer of another id, or it would be the next to be taken for an older one.
    await eventually(() => expect(valve.connected).toBe(false));
    await producer.send([message(topic, '2')]);
    await producer.close();
  });
});

describe('a reading that gets no answer', () => {
  it('ends at once where it is told to', async () => {
    valve.through = true;
    valve.state = 'frozen';
    const given = new AbortController();
    let isOver = false;
    const reading = (async () => {
      for await (const { value } of readAll(kafka, 'spec.silent.v1', { signal: given.signal })) void value;
    })().finally(() => (isOver = true));
    await eventually(() => expect(valve.connected).toBe(true));
    given.abort();
    await eventually(() => expect(isOver).toBe(true), { within: 4_000 });
    await reading;
  });
});

describe('a producer that gets no answer while it opens', () => {
  it('is given up at once by who closes it', async () => {
    valve.through = true;
    valve.state = 'frozen';
    const producer = kafka.fencedProducer(`spec-${randomUUID()}`);
    const opening = producer.open();
    await eventually(() => expect(valve.connected).toBe(true));
    const before = performance.now();
    await Promise.all([producer.close(), expect(opening).rejects.toThrow('was given up')]);
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});

describe('a producer that gets no answer to what it sends', () => {
  it('gives it a moment and no more when it is closed', async () => {
    const topic = await newTopic();
    valve.through = true;
    const producer = kafka.fencedProducer(`spec-${randomUUID()}`);
    await producer.open();
    valve.state = 'deaf';
    const sending = producer.send([message(topic, '1')]);
    await new Promise(setImmediate);
    const before = performance.now();
    await Promise.all([producer.close(), expect(sending).rejects.toThrow('was given up')]);
    expect(performance.now() - before).toBeLessThan(3_500);
  });

  it('gives up in the time that it was made with', async () => {
    const topic = await newTopic();
    valve.through = true;
    const producer = kafka.fencedProducer(`spec-${randomUUID()}`, { sendWithin: 100 });
    await producer.open();
    valve.state = 'deaf';
    await expect(producer.send([message(topic, '1')])).rejects.toThrow('sending took longer than 100 ms');
    await producer.close();
  });
});

describe('a client that is thrown away', () => {
  it.each(['cut off from the broker', 'at work'])('leaves no timer behind: %s', async (how) => {
    const running = new Set<unknown>();
    const [set, clear] = [globalThis.setInterval, globalThis.clearInterval];
    vi.spyOn(globalThis, 'setInterval').mockImplementation((...given: Parameters<typeof set>) => {
      const timer = set(...given);
      running.add(timer);
      return timer;
    });
    vi.spyOn(globalThis, 'clearInterval').mockImplementation((timer) => {
      running.delete(timer);
      clear(timer);
    });
    valve.through = true;
    const topic = await newTopic();
    running.clear();
    if (how === 'at work') {
      for (let n = 0; n < 3; n += 1) await groupPlaces(settings, `spec-${randomUUID()}`, [topic]);
    } else {
      valve.state = 'frozen';
      const producer = kafka.fencedProducer(`spec-${randomUUID()}`);
      const opening = producer.open();
      await eventually(() => expect(valve.connected).toBe(true));
      await Promise.all([producer.close(), expect(opening).rejects.toThrow()]);
    }
    await eventually(() => expect(running.size).toBe(0));
  });
});

describe('a consumer that gets no answers any more', () => {
  const STALL_MS = 2_000;
  let consumer: Consumer;
  afterEach(async () => {
    // What is deaf would not let it leave the group.
    await valve.close();
    await consumer.stop();
  });

  let received = false;

  /** @returns the topic it reads */
  async function started(
    onCrash: (error: Error) => void,
    watched: { stallMs?: number; places?: () => Promise<GroupPlace[]> } = {},
  ): Promise<string> {
    const topic = await newTopic();
    received = false;
    valve.through = true;
    consumer = new CommittingConsumer(
      settings,
      {
        groupId: `spec-${randomUUID()}`,
        topics: [topic],
        onBatch: () => Promise.resolve(void (received = true)),
        onCrash,
      },
      { stallMs: STALL_MS, ...watched },
    );
    await consumer.start();
    const producer = kafka.producer();
    await producer.send([message(topic, '1')]);
    await producer.close();
    await eventually(() => received, { within: 15_000 });
    valve.through = false;
    return topic;
  }

  it('makes new connections once requests got no answer in time', async () => {
    const crashes: Error[] = [];
    const topic = await started((error) => crashes.push(error), { stallMs: 60_000 });
    // Only the connections that there are: new ones go past the valve.
    valve.state = 'deaf';
    received = false;
    const producer = kafka.producer();
    await producer.send([message(topic, '2')]);
    await producer.close();
    await eventually(() => received, { within: 25_000 });
    expect(crashes).toEqual([]);
  });

  it('is a crash where the broker answers others', async () => {
    const crashes: string[] = [];
    await started((error) => crashes.push(error.message));
    expect(consumer.healthy()).toBe(true);
    valve.state = 'deaf';
    await eventually(() => expect(crashes).toEqual(['no fetch for 2 s although the broker answers']));
    expect(consumer.healthy()).toBe(false);
  });

  it('waits where the broker is away for all', async () => {
    const crashes: Error[] = [];
    let asked = 0;
    await started((error) => crashes.push(error), {
      places: () => {
        asked += 1;
        // Nobody listens there.
        return groupPlaces({ ...settings, brokers: ['127.0.0.1:1'] }, 'nobody', ['none']);
      },
    });
    valve.state = 'deaf';
    await eventually(() => expect(consumer.healthy()).toBe(false));
    const until = asked + 4;
    const seen = new Set<boolean>();
    await eventually(() => seen.add(consumer.healthy()) && asked >= until, { within: 20_000 });
    // It says so as long as it is away.
    expect(seen).toEqual(new Set([false]));
    expect(crashes).toEqual([]);
  });
});

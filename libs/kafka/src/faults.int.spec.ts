import { randomUUID } from 'node:crypto';
import net, { type NetConnectOpts } from 'node:net';
import { defineTopic, type WireMessage } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import { afterAll, afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { BaseOffsets } from './base-offsets.js';
import { CommittingConsumer } from './consumer.js';
import { connect, readAll, type Consumer, type KafkaSettings, type Producer } from './index.js';
import { openValve, type Valve } from './testing/valve.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const { bootstrap } = inject('stack').kafka;
const settings: KafkaSettings = { brokers: [bootstrap], clientId: 'spec', ...principal };
const kafka = connect(settings);
const admin = kafka.admin();
const direct = net.connect;

let valve: Valve;
/** The kafkajs client asks for sockets to the broker; while this is on, it gets them through the valve. */
let throughValve: boolean;

beforeEach(async () => {
  valve = await openValve(bootstrap);
  throughValve = false;
  vi.spyOn(net, 'connect').mockImplementation(((options: NetConnectOpts, onConnect?: () => void) =>
    direct(throughValve ? { host: '127.0.0.1', port: valve.port } : options, onConnect)) as typeof net.connect);
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

async function valuesOf(topic: string): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of readAll(kafka, topic)) values.push(String(value));
  return values;
}

describe('a producer whose acknowledgement was lost', () => {
  it('begins anew, so that its next message is not taken for the lost one', async () => {
    const topic = await newTopic();
    throughValve = true;
    const producer = kafka.producer();
    await producer.send([message(topic, '1')]);
    valve.state = 'cut';
    await expect(producer.send([message(topic, '2')])).rejects.toThrow();
    valve.state = 'open';
    await producer.send([message(topic, '3')]);
    await producer.close();
    throughValve = false;
    expect(await valuesOf(topic)).toEqual(['1', '2', '3']);
  });
});

describe('bytes of a producer that are held up in the network until its successor has sent the same and more', () => {
  /** @returns the version that stands last, and what became of the send that was held up */
  async function race(former: Producer, successor: () => Promise<Producer>, topic: string) {
    valve.state = 'held';
    const late = former.send([message(topic, 'v1')]).then(
      () => 'sent',
      (error: unknown) => (error as { type?: string }).type,
    );
    await eventually(() => valve.heldBytes > 0);
    throughValve = false;
    const second = await successor();
    await second.send([message(topic, 'v1')]);
    await second.send([message(topic, 'v2')]);
    valve.letGo();
    const became = await late;
    await Promise.all([former.close(), second.close()]);
    return { last: (await valuesOf(topic)).at(-1), became };
  }

  it('are refused where both have a name', async () => {
    const topic = await newTopic();
    const name = `spec-${randomUUID()}`;
    const opened = async () => {
      const producer = kafka.fencedProducer(name);
      await producer.open();
      return producer;
    };
    throughValve = true;
    const former = await opened();
    await former.send([message(topic, 'v0')]);
    expect(await race(former, opened, topic)).toEqual({ last: 'v2', became: 'INVALID_PRODUCER_EPOCH' });
  });

  it('are refused too where it was the same producer that gave the send up', async () => {
    const topic = await newTopic();
    throughValve = true;
    const producer = connect({ ...settings, leaseMs: 3_000 }).fencedProducer(`spec-${randomUUID()}`);
    await producer.open();
    await producer.send([message(topic, 'v0')]);
    valve.state = 'held';
    await expect(producer.send([message(topic, 'v1')])).rejects.toThrow('sending took longer');
    throughValve = false;
    await producer.open();
    await producer.send([message(topic, 'v1')]);
    await producer.send([message(topic, 'v2')]);
    const answered = valve.answers;
    valve.letGo();
    await eventually(() => valve.answers > answered);
    await producer.close();
    expect((await valuesOf(topic)).at(-1)).toBe('v2');
  });

  it('stand last where they have none', async () => {
    const topic = await newTopic();
    throughValve = true;
    const former = kafka.producer();
    await former.send([message(topic, 'v0')]);
    expect(await race(former, async () => kafka.producer(), topic)).toEqual({ last: 'v1', became: 'sent' });
  });
});

describe('messages that the broker took for older ones', () => {
  beforeEach(() => {
    vi.spyOn(BaseOffsets.prototype, 'check').mockImplementationOnce(() => {
      throw new Error('offsets fell');
    });
  });

  it('are not acknowledged by a producer', async () => {
    const topic = await newTopic();
    const producer = kafka.producer();
    await expect(producer.send([message(topic, '1')])).rejects.toThrow('offsets fell');
    await producer.send([message(topic, '2')]);
    await producer.close();
  });

  it('are not committed by a transactional producer', async () => {
    const topic = await newTopic();
    const producer = kafka.transactionalProducer(`spec-${randomUUID()}`);
    await producer.open();
    await expect(producer.send([message(topic, '1')])).rejects.toThrow('offsets fell');
    await producer.open();
    await producer.send([message(topic, '2')]);
    await producer.close();
    expect(await valuesOf(topic)).toEqual(['2']);
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

  async function started(onCrash: (error: Error) => void, adminOf = () => kafka.admin()): Promise<void> {
    const topic = await newTopic();
    let received = false;
    throughValve = true;
    consumer = new CommittingConsumer(
      settings,
      {
        groupId: `spec-${randomUUID()}`,
        topics: [topic],
        onBatch: () => Promise.resolve(void (received = true)),
        onCrash,
      },
      adminOf,
      STALL_MS,
    );
    await consumer.start();
    throughValve = false;
    const producer = kafka.producer();
    await producer.send([message(topic, '1')]);
    await producer.close();
    await eventually(() => received, { within: 15_000 });
  }

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
    await started(
      (error) => crashes.push(error),
      () => {
        asked += 1;
        // Nobody listens there.
        return connect({ ...settings, brokers: ['127.0.0.1:1'] }).admin();
      },
    );
    valve.state = 'deaf';
    await eventually(() => expect(asked).toBeGreaterThan(0));
    await eventually(() => expect(consumer.healthy()).toBe(false));
    await eventually(() => expect(consumer.healthy()).toBe(true), { within: 20_000 });
    expect(crashes).toEqual([]);
  });
});

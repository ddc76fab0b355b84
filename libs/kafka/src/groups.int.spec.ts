import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { defineTopic } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import type { Consumer as KafkaJsConsumer, EachBatchPayload } from 'kafkajs';
import kafkajs from './kafkajs.js';
import { afterAll, afterEach, describe, expect, inject, it, onTestFinished, vi } from 'vitest';
import { CommittingConsumer } from './consumer.js';
import { connect, type Consumer, type ConsumerOptions, type IncomingBatch, type KafkaSettings } from './index.js';
import { subscribedAssigner } from './subscribed-assigner.js';
import { Valve } from './testing/valve.js';
import { Watchdog } from './watchdog.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const { bootstrap } = inject('stack').kafka;
const said: string[] = [];
const settings: KafkaSettings = {
  brokers: [bootstrap],
  clientId: 'spec',
  ...principal,
  leaseMs: 2_000,
  onLog: ({ message }) => said.push(message),
};
const kafka = connect(settings);
const admin = kafka.admin();
const producer = kafka.producer();
const PARTITIONS = 4;
let running: Consumer[] = [];

afterEach(async () => {
  await Promise.all(running.map((consumer) => consumer.stop()));
  running = [];
  said.length = 0;
});
afterAll(async () => {
  await producer.close();
  await admin.close();
});

async function newTopic(): Promise<string> {
  const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'events', partitions: PARTITIONS });
  await admin.createTopics([topic]);
  return topic.name;
}

it('a consumer that is stopped while it starts watches nothing afterwards', async () => {
  const topic = await newTopic();
  const starts = vi.spyOn(Watchdog.prototype, 'start');
  // The last thing before it runs.
  const fetched = vi.spyOn(Watchdog.prototype, 'fetched');
  onTestFinished(() => [starts, fetched].forEach((spy) => spy.mockRestore()));
  const consumer = kafka.consumer({
    groupId: `spec-${randomUUID()}`,
    topics: [topic],
    onBatch: () => Promise.resolve(),
    onCrash: () => undefined,
  });
  let stopping: Promise<void> | undefined;
  fetched.mockImplementation(() => void (stopping ??= consumer.stop()));
  await consumer.start().catch(() => undefined);
  await stopping;
  expect(stopping).toBeDefined();
  expect(starts).not.toHaveBeenCalled();
});

/** A message for each partition, or nearly so. */
async function sendTo(topic: string): Promise<string[]> {
  const keys = Array.from({ length: 8 * PARTITIONS }, () => randomUUID());
  await producer.send(keys.map((key) => ({ topic, key, value: key, headers: {} })));
  return keys.sort();
}

/** A member of a group, and the keys it got. */
async function joined(groupId: string, topics: readonly string[]): Promise<{ member: Consumer; keys: string[] }> {
  const keys: string[] = [];
  const member = kafka.consumer({
    groupId,
    topics,
    onBatch: ({ messages }) => Promise.resolve(void keys.push(...[...messages].map(({ key }) => String(key)))),
    onCrash: () => undefined,
  });
  running.push(member);
  await member.start();
  return { member, keys };
}

/** kafkajs itself. */
const raw = () =>
  new kafkajs.Kafka({
    brokers: [bootstrap],
    sasl: { mechanism: 'scram-sha-512', username: settings.username, password: settings.password },
    logLevel: kafkajs.logLevel.NOTHING,
  });

/** What kafkajs keeps to itself. */
const ConsumerGroup = createRequire(import.meta.url)('kafkajs/src/consumer/consumerGroup.js') as {
  prototype: { joinAndSync: () => Promise<void> };
};

/** What it does behind its port. */
const insideOf = (member: Consumer) =>
  member as unknown as { consume(payload: EachBatchPayload): Promise<void>; readonly consumer: KafkaJsConsumer };

it('a batch is read from where its reader says, wherever the group stands, and nothing of it is committed', async () => {
  const [topic, groupId] = [await newTopic(), randomUUID()];
  // How long a send may take is no matter here.
  const patient = connect({ ...settings, leaseMs: 30_000 }).producer();
  onTestFinished(() => patient.close());
  const send = (...values: string[]) =>
    patient.send(values.map((value) => ({ topic, key: 'k', value, headers: {}, partition: 0 })));
  await send('1', '2', '3');
  const { member, keys } = await joined(groupId, [topic]);
  await eventually(() => expect(keys).toHaveLength(3), { within: 15_000 });
  await member.stop();
  await send('4');
  const came: string[][] = [];
  const reader = kafka.consumer({
    groupId,
    topics: [topic],
    onBatch: (batch) => {
      came.push([...batch.messages].map(({ value }) => String(value)));
      if (came.length === 1) batch.readFrom('1');
      return Promise.resolve();
    },
    onCrash: () => undefined,
  });
  running.push(reader);
  await reader.start();
  await eventually(() => expect(came).toEqual([['4'], ['2', '3', '4']]), { within: 15_000 });
});

describe('a consumer that is stopped', () => {
  it('while it tries to come back from a crash does not come back and hold partitions that nobody reads', async () => {
    const [topic, groupId] = [await newTopic(), randomUUID()];
    const valve = await Valve.open(bootstrap);
    valve.through = true;
    const { member } = await joined(groupId, [topic]);
    valve.state = 'cut';
    await eventually(() => said.some((line) => line.startsWith('Restarting the consumer')), { within: 40_000 });
    const crashed = said.length;
    await eventually(() => said.length > crashed);
    await member.stop();
    const again: unknown[] = [];
    insideOf(member).consumer.on(
      'consumer.crash',
      ({ payload }) => void (payload.restart && again.push(payload.error)),
    );
    valve.state = 'open';
    valve.through = false;
    const { keys } = await joined(groupId, [topic]);
    // Whatever it is about to do comes before this: it tries again every three seconds at most.
    const sent: string[] = [];
    for (const until = Date.now() + 5_000; Date.now() < until;) {
      sent.push(...(await sendTo(topic)));
      await eventually(() => expect(keys.sort()).toEqual(sent.sort()), { within: 20_000 });
    }
    expect(again).toEqual([]);
    await valve.close();
  }, 90_000);

  it('leaves its group, though its last commit hangs', async () => {
    const [topic, groupId] = [await newTopic(), randomUUID()];
    const { member, keys } = await joined(groupId, [topic]);
    let hangs = false;
    insideOf(member).consumer.commitOffsets = () => new Promise(() => void (hangs = true));
    const sent = await sendTo(topic);
    await eventually(() => expect(keys.sort()).toEqual(sent), { within: 15_000 });
    await eventually(() => expect(hangs).toBe(true));
    await member.stop();
    const asking = raw().admin();
    await asking.connect();
    const { groups } = await asking.describeGroups([groupId]);
    await asking.disconnect();
    expect(groups[0]?.members).toHaveLength(0);
  });

  it('with a handler that hangs, waits for it once, however often it is told', async () => {
    const topic = await newTopic();
    let end = (): void => undefined;
    let isAtWork = false;
    const member = kafka.consumer({
      groupId: randomUUID(),
      topics: [topic],
      onBatch: () => new Promise((resolve) => void ([isAtWork, end] = [true, resolve])),
      onCrash: () => undefined,
    });
    await member.start();
    await sendTo(topic);
    await eventually(() => expect(isAtWork).toBe(true), { within: 15_000 });
    const from = performance.now();
    await member.stop();
    await member.stop();
    expect(performance.now() - from).toBeLessThan(5_000);
    end();
  });
});

describe('a consumer that crashed', () => {
  it('is given each partition once more at most, not again and again until it is stopped', async () => {
    const [topic, empty] = [await newTopic(), await newTopic()];
    const crashes: Error[] = [];
    const member = new CommittingConsumer(settings, {
      groupId: randomUUID(),
      topics: [topic, empty],
      onBatch: () => Promise.reject(new Error('a bug')),
      onCrash: (error) => crashes.push(error),
    });
    running.push(member);
    const inside = insideOf(member);
    const given = vi.spyOn(inside, 'consume');
    await member.start();
    await sendTo(topic);
    await eventually(() => expect(crashes).toHaveLength(1));
    let fetches = 0;
    inside.consumer.on('consumer.fetch', () => void (fetches += 1));
    await sendTo(topic);
    await eventually(() => expect(fetches).toBeGreaterThan(5));
    const partitions = given.mock.calls.map(([{ batch }]) => batch.partition);
    expect(partitions).toEqual([...new Set(partitions)]);
    expect(crashes).toHaveLength(1);
  });
});

describe('a consumer one of whose topics is deleted', () => {
  it('is stuck, and says so: what reads the others in its place must begin anew', async () => {
    const [topic, deleted] = [await newTopic(), await newTopic()];
    const crashes: string[] = [];
    const options = { groupId: randomUUID(), topics: [topic, deleted], onBatch: () => Promise.resolve() };
    const member = new CommittingConsumer(
      settings,
      { ...options, onCrash: ({ message }) => crashes.push(message) },
      { stallMs: 2_000 },
    );
    running.push(member);
    await member.start();
    const deleting = raw().admin();
    await deleting.connect();
    await deleting.deleteTopics({ topics: [deleted] });
    await deleting.disconnect();
    await eventually(() => expect(crashes).toEqual(['no fetch for 2 s although the broker answers']), {
      within: 20_000,
    });
  });
});

describe('a batch whose member joins its group anew while it is at work', () => {
  it('is left, and comes again', async () => {
    const topic = await newTopic();
    const joining = vi.spyOn(ConsumerGroup.prototype, 'joinAndSync');
    onTestFinished(() => joining.mockRestore());
    const given: IncomingBatch[] = [];
    let isHeld = true;
    const member = kafka.consumer({
      groupId: randomUUID(),
      topics: [topic],
      onBatch: async (batch) => {
        given.push(batch);
        await eventually(() => !isHeld, { within: 15_000 });
      },
      onCrash: () => undefined,
    });
    running.push(member);
    await member.start();
    await producer.send([{ topic, key: 'k', value: '1', headers: {} }]);
    await eventually(() => expect(given).toHaveLength(1), { within: 15_000 });
    // As kafkajs does by itself where a broker no longer leads a partition.
    await (joining.mock.contexts[0] as typeof ConsumerGroup.prototype | undefined)?.joinAndSync();
    isHeld = false;
    expect(given[0]?.isStale()).toBe(true);
    await eventually(() => expect(given).toHaveLength(2), { within: 15_000 });
    expect(given.map(({ messages: [first] }) => first?.offset)).toEqual(['0', '0']);
  });
});

describe('a batch that was fetched before its partition went to another member', () => {
  it('is not committed: the group would go back behind that one', async () => {
    const topic = await newTopic();
    const member = new CommittingConsumer(settings, {
      groupId: randomUUID(),
      topics: [topic],
      onBatch: () => Promise.resolve(),
      onCrash: () => undefined,
    });
    running.push(member);
    const inside = insideOf(member);
    const given = vi.spyOn(inside, 'consume');
    await member.start();
    await sendTo(topic);
    await eventually(() => expect(given).toHaveBeenCalled(), { within: 15_000 });
    const payload = given.mock.calls[0]?.[0] as EachBatchPayload;
    const commits = vi.spyOn(inside.consumer, 'commitOffsets');
    const committed = (): number[] => commits.mock.calls.flatMap(([of]) => of.map(({ partition }) => partition));
    const batch = Object.assign(Object.create(payload.batch) as typeof payload.batch, { partition: PARTITIONS });
    await inside.consume({ ...payload, batch });
    await sendTo(topic);
    await eventually(() => expect(committed()).toContain(0));
    expect(committed()).not.toContain(PARTITIONS);
  });
});

describe('members of a group that read different topics', () => {
  it('read all of each topic, whoever leads the group', async () => {
    const [common, onlyFirst, onlySecond, groupId] = [
      await newTopic(),
      await newTopic(),
      await newTopic(),
      randomUUID(),
    ];
    const first = await joined(groupId, [common, onlyFirst]);
    const second = await joined(groupId, [common, onlySecond]);
    const both = [...(await sendTo(common)), ...(await sendTo(onlyFirst)), ...(await sendTo(onlySecond))];
    await eventually(() => expect(new Set([...first.keys, ...second.keys])).toEqual(new Set(both)), { within: 15_000 });
  });
});

describe('a partition that stands still although there is something to read', () => {
  const STALL_MS = 1_000;

  /** A member that is watched closely, and how it ended. */
  async function watched(
    groupId: string,
    topic: string,
    onBatch: ConsumerOptions['onBatch'],
    excused?: () => Promise<boolean>,
  ): Promise<string[]> {
    const crashes: string[] = [];
    const member = new CommittingConsumer(
      settings,
      {
        groupId,
        topics: [topic],
        onBatch,
        onCrash: ({ message }) => crashes.push(message),
        ...(excused && { excused }),
      },
      { stallMs: STALL_MS },
    );
    running.push(member);
    await member.start();
    return crashes;
  }
  const long = { within: 60_000 };
  const hangs = async (batch: IncomingBatch): Promise<void> => void (await eventually(() => batch.isStale(), long));
  const isAtWork = async (batch: IncomingBatch): Promise<void> =>
    void (await eventually(() => batch.heartbeat().then(() => batch.isStale()), long));

  it('ends the member that has it', async () => {
    const [topic, groupId] = [await newTopic(), randomUUID()];
    const crashes = await watched(groupId, topic, hangs);
    await sendTo(topic);
    await eventually(() => expect(crashes).toHaveLength(1));
    expect(crashes[0]).toMatch(new RegExp(`${topic}/\\d stands at 0 of \\d+ for \\d+ s.* although the broker answers`));
  });

  it('ends nobody while its handler says that it is at work, or what it works with is away', async () => {
    const [topic, groupId] = [await newTopic(), randomUUID()];
    const other = await newTopic();
    let asked = 0;
    const crashes = [
      await watched(groupId, topic, isAtWork),
      await watched(randomUUID(), other, hangs, () => Promise.resolve((asked += 1) > 0)),
    ];
    await Promise.all([sendTo(topic), sendTo(other)]);
    await eventually(() => expect(asked).toBeGreaterThan(2));
    expect(crashes).toEqual([[], []]);
  });

  it('ends nobody while it waits for a batch of another one that is at work', async () => {
    const [topic, groupId] = [await newTopic(), randomUUID()];
    const busy = new Set<number>();
    const crashes = await watched(groupId, topic, async (batch) => {
      busy.add(batch.partition);
      await isAtWork(batch);
    });
    await producer.send([{ topic, key: 'k', value: '1', headers: {} }]);
    await eventually(() => expect(busy.size).toBe(1), { within: 15_000 });
    await sendTo(topic);
    const from = Date.now();
    await eventually(() => Date.now() > from + 4 * STALL_MS);
    expect([crashes, busy.size]).toEqual([[], 1]);
  });

  it('ends the member where its batch hangs, although others are at work', async () => {
    const [topic, groupId] = [await newTopic(), randomUUID()];
    await sendTo(topic);
    // All of them in one fetch.
    const busy = new Set<number>();
    const crashes = await watched(groupId, topic, async (batch) => {
      busy.add(batch.partition);
      await (batch.partition === 0 ? hangs(batch) : isAtWork(batch));
    });
    await eventually(() => expect(busy.size).toBe(PARTITIONS), { within: 15_000 });
    await eventually(() => expect(crashes).toHaveLength(1));
    expect(crashes[0]).toMatch(new RegExp(`^${topic}/0 stands at 0 of \\d+ for \\d+ s although`));
  });

  it('ends no other member while the one that has it is at work, though that takes longer than any patience', async () => {
    const [topic, groupId] = [await newTopic(), randomUUID()];
    const readers = await watched(groupId, topic, () => Promise.resolve());
    let isBusy = false;
    const workers = await watched(groupId, topic, async (batch) => {
      isBusy = true;
      await isAtWork(batch);
    });
    await sendTo(topic);
    await eventually(() => expect(isBusy).toBe(true), { within: 15_000 });
    const from = Date.now();
    await eventually(() => Date.now() > from + 4 * STALL_MS);
    expect([readers, workers]).toEqual([[], []]);
  });

  it('ends another member, where the one that has it does not read', async () => {
    const [topic, groupId] = [await newTopic(), randomUUID()];
    const readers = await watched(groupId, topic, () => Promise.resolve());
    // It keeps its partitions, by its heartbeats, and says nothing of them.
    const ghost = raw().consumer({ groupId, partitionAssigners: [subscribedAssigner()], heartbeatInterval: 500 });
    onTestFinished(() => ghost.disconnect());
    await ghost.connect();
    await ghost.subscribe({ topics: [topic], fromBeginning: true });
    let [isOver, isAtWork] = [false, false];
    onTestFinished(() => void (isOver = true));
    await ghost.run({
      eachBatch: async (batch) => {
        isAtWork = true;
        await eventually(() => batch.heartbeat().then(() => isOver), { within: 60_000 });
      },
    });
    await sendTo(topic);
    await eventually(() => expect(isAtWork).toBe(true), { within: 15_000 });
    await eventually(() => expect(readers).toHaveLength(1), { within: 15_000 });
  });

  it('is none where all is read, aborted records and markers of transactions included', async () => {
    const [topic, groupId] = [await newTopic(), randomUUID()];
    let seen = 0;
    const crashes = await watched(groupId, topic, ({ messages }) =>
      Promise.resolve(void (seen += [...messages].length)),
    );
    await producer.send([{ topic, key: 'k', value: '1', headers: {} }]);
    // A step that holds nothing to handle.
    const aborting = raw().producer({ transactionalId: `spec-${randomUUID()}`, maxInFlightRequests: 1 });
    await aborting.connect();
    const aborted = await aborting.transaction();
    await aborted.send({ topic, messages: [{ key: 'k', value: '2' }] });
    await aborted.abort();
    await aborting.disconnect();
    await eventually(() => expect(seen).toBe(1));
    const from = Date.now();
    await eventually(() => Date.now() > from + 4 * STALL_MS);
    expect(crashes).toEqual([]);
  });
});

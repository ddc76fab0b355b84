import { randomUUID } from 'node:crypto';
import { defineTopic, type WireMessage } from '@castiron/contracts';
import { eventually } from '@castiron/testing';
import kafkajs from 'kafkajs';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { connect, readAll, type Consumer, type IncomingBatch, type Kafka } from './index.js';

function kafkaOf(principal: { username: string; password: string }): Kafka {
  return connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });
}

function adminPrincipal() {
  const admin = inject('stack').kafka.principals['admin'];
  if (admin === undefined) throw new Error('the stack has no admin');
  return admin;
}

/** The client itself, for what this library does not offer. */
const rawKafka = () =>
  new kafkajs.Kafka({
    brokers: [inject('stack').kafka.bootstrap],
    sasl: { mechanism: 'scram-sha-512', ...adminPrincipal() },
    logLevel: kafkajs.logLevel.NOTHING,
  });

const kafka = kafkaOf(adminPrincipal());
const admin = kafka.admin();
const running: Consumer[] = [];

afterAll(async () => {
  await Promise.all(running.map((consumer) => consumer.stop()));
  await admin.close();
});

async function newTopic(partitions = 1, kind: 'events' | 'state' = 'events'): Promise<string> {
  const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind, partitions });
  await admin.createTopics([topic]);
  return topic.name;
}

const message = (topic: string, key: string, value: string): WireMessage => ({
  topic,
  key,
  value,
  headers: { n: value },
});

async function valuesOf(topic: string, reader = kafka): Promise<string[]> {
  const values: string[] = [];
  for await (const { value } of readAll(reader, topic)) values.push(String(value));
  return values;
}

async function consume(
  topic: string,
  groupId: string,
  onBatch: (batch: IncomingBatch) => Promise<void>,
): Promise<Consumer> {
  const consumer = kafka.consumer({
    groupId,
    topics: [topic],
    onBatch,
    onCrash: () => undefined,
  });
  running.push(consumer);
  await consumer.start();
  return consumer;
}

describe('topics', () => {
  it('are created with their settings, and again without complaint', async () => {
    const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'state', partitions: 3 });
    await admin.createTopics([topic]);
    await admin.createTopics([topic]);
    expect(await admin.topicNames()).toContain(topic.name);
    expect(await admin.endOffsets(topic.name)).toEqual([0, 1, 2].map((partition) => ({ partition, offset: '0' })));
  });

  it('are not created by use', async () => {
    const producer = kafka.producer();
    await expect(producer.send([message(`spec.${randomUUID()}.v1`, 'k', 'v')])).rejects.toThrow();
    await producer.close();
  });
});

describe('the producer', () => {
  it('keeps the order of a key over many sends', async () => {
    const topic = await newTopic(3);
    const producer = kafka.producer();
    const sends = Array.from({ length: 50 }, (_, n) =>
      producer.send([message(topic, 'k', `${n}a`), message(topic, 'k', `${n}b`)]),
    );
    await Promise.all(sends);
    await producer.close();
    expect(await valuesOf(topic)).toEqual(Array.from({ length: 50 }, (_, n) => [`${n}a`, `${n}b`]).flat());
  });

  it('works again after a failed send', async () => {
    const topic = await newTopic();
    const producer = kafka.producer();
    await producer.send([message(topic, 'k', '1')]);
    const tooLarge = 'x'.repeat(3 * 1_048_576);
    await expect(producer.send([message(topic, 'k', tooLarge)])).rejects.toThrow();
    await producer.send([message(topic, 'k', '2')]);
    await producer.close();
    expect(await valuesOf(topic)).toEqual(['1', '2']);
  });
});

describe('the transactional producer', () => {
  it('writes all or nothing, in one transaction with its journal', async () => {
    const [topic, journal] = [await newTopic(2), await newTopic(1, 'state')];
    const producer = kafka.transactionalProducer(`spec-${randomUUID()}`);
    await producer.open();
    await producer.send([message(topic, 'a', '1'), message(topic, 'b', '2')], [message(journal, '7', 'batch 1')]);
    await producer.send([message(topic, 'a', '3')], [message(journal, '7', 'batch 2')]);
    const absent = `spec.${randomUUID()}.v1`;
    await expect(producer.send([message(topic, 'a', 'never'), message(absent, 'b', 'x')])).rejects.toThrow();
    await expect(producer.send([message(topic, 'a', 'never')])).rejects.toThrow(/not open/);
    await producer.open();
    await producer.send([message(topic, 'a', '4')]);
    await producer.close();
    expect((await valuesOf(topic)).sort()).toEqual(['1', '2', '3', '4']);
    expect(await valuesOf(journal)).toEqual(['batch 1', 'batch 2']);
  });

  it('is shut out by its successor', async () => {
    const topic = await newTopic();
    const id = `spec-${randomUUID()}`;
    const [first, second] = [kafka.transactionalProducer(id), kafka.transactionalProducer(id)];
    await first.open();
    await first.send([message(topic, 'k', 'before')]);
    await second.open();
    await expect(first.send([message(topic, 'k', 'stale')])).rejects.toThrow();
    await second.send([message(topic, 'k', 'after')]);
    await Promise.all([first.close(), second.close()]);
    expect(await valuesOf(topic)).toEqual(['before', 'after']);
  });

  it('leaves no lag in a group that has read everything, aborted records and markers included', async () => {
    const topic = await newTopic();
    const groupId = `spec-${randomUUID()}`;
    const seen: string[] = [];
    await consume(topic, groupId, ({ messages }) => {
      seen.push(...messages.map(({ value }) => String(value)));
      return Promise.resolve();
    });
    const producer = kafka.transactionalProducer(`spec-${randomUUID()}`);
    await producer.open();
    await producer.send([message(topic, 'k', '1')]);
    await producer.close();
    const aborting = rawKafka().producer({ transactionalId: `spec-${randomUUID()}`, maxInFlightRequests: 1 });
    await aborting.connect();
    const transaction = await aborting.transaction();
    await transaction.send({ topic, messages: [{ key: 'k', value: 'aborted' }] });
    await transaction.abort();
    await aborting.disconnect();
    const raw = rawKafka().admin();
    await eventually(
      async () => {
        expect(seen).toEqual(['1']);
        const [group] = await raw.fetchOffsets({ groupId, topics: [topic] });
        // Two records, two markers.
        expect(group?.partitions).toMatchObject([{ offset: '4' }]);
      },
      { within: 15_000 },
    );
    await raw.disconnect();
  });

  it('can be read back although another transaction was open before its own', async () => {
    const topic = await newTopic();
    const raw = rawKafka().producer({
      transactionalId: `spec-${randomUUID()}`,
      idempotent: true,
      maxInFlightRequests: 1,
      transactionTimeout: 30_000,
    });
    await raw.connect();
    const open = await raw.transaction();
    await open.send({ topic, messages: [{ key: 'k', value: 'aborted' }] });
    const producer = kafka.transactionalProducer(`spec-${randomUUID()}`);
    await producer.open();
    await producer.send([message(topic, 'k', 'committed')]);
    await producer.close();
    let ended = false;
    const reading = valuesOf(topic).finally(() => (ended = true));
    // The aborted record holds the committed one back: the end is past both, and the reading is to wait for it.
    await expect(eventually(() => expect(ended).toBe(true), { within: 5_000 })).rejects.toThrow();
    await open.abort();
    await raw.disconnect();
    expect(await reading).toEqual(['committed']);
  });

  it('does not sleep between transactions', async () => {
    const topic = await newTopic(12);
    const producer = kafka.transactionalProducer(`spec-${randomUUID()}`);
    await producer.open();
    const batch = Array.from({ length: 48 }, (_, n) => message(topic, `k${n}`, String(n)));
    const start = Date.now();
    for (let n = 0; n < 50; n += 1) await producer.send(batch);
    // kafkajs's own first retry of 300 ms follows nearly every commit over several partitions: 15 s.
    expect(Date.now() - start).toBeLessThan(7_500);
    await producer.close();
  });
});

describe('the consumer', () => {
  it('reads from the beginning, goes on where it committed, and skips aborted messages', async () => {
    const topic = await newTopic(2);
    const producer = kafka.producer();
    const group = `spec-${randomUUID()}`;
    await producer.send([message(topic, 'a', '1'), message(topic, 'b', '2')]);
    const seen: string[] = [];
    const collect = (batch: IncomingBatch) => {
      seen.push(...batch.messages.map(({ value }) => String(value)));
      return Promise.resolve();
    };
    const first = await consume(topic, group, collect);
    await eventually(() => expect([...seen].sort()).toEqual(['1', '2']), { within: 15_000 });
    expect(first.healthy()).toBe(true);
    await first.stop();
    expect(first.healthy()).toBe(false);
    await producer.send([message(topic, 'a', '3')]);
    await producer.close();
    await consume(topic, group, collect);
    await eventually(() => expect(seen.slice(2)).toEqual(['3']), { within: 15_000 });
  });

  it('gives what was not committed to its successor', async () => {
    const topic = await newTopic();
    const producer = kafka.producer();
    const group = `spec-${randomUUID()}`;
    await producer.send([message(topic, 'k', '1')]);
    await producer.close();
    let failed = false;
    const crashed = new Promise<Error>((resolve) => {
      const dying = kafka.consumer({
        groupId: group,
        topics: [topic],
        onBatch: () => {
          failed = true;
          return Promise.reject(new Error('a bug'));
        },
        onCrash: resolve,
      });
      running.push(dying);
      void dying.start();
    });
    expect((await crashed).message).toBe('a bug');
    expect(failed).toBe(true);
    await running.at(-1)?.stop();
    const seen: string[] = [];
    await consume(topic, group, (batch) => {
      seen.push(...batch.messages.map(({ value }) => String(value)));
      return Promise.resolve();
    });
    await eventually(() => expect(seen).toEqual(['1']), { within: 15_000 });
  });
});

describe('a principal', () => {
  it('may do what it was allowed, no longer after it was forbidden, and nothing else', async () => {
    const [own, other] = [await newTopic(), await newTopic()];
    const name = `p-${randomUUID()}`;
    const password = randomUUID();
    const rules = [
      { principal: `User:${name}`, resource: 'topic', name: own, operation: 'read' },
      { principal: `User:${name}`, resource: 'group', name: `${name}.`, pattern: 'prefixed', operation: 'read' },
    ] as const;
    await admin.putUser(name, password);
    await admin.allow(rules);
    const producer = kafka.producer();
    await producer.send([message(own, 'k', '1'), message(other, 'k', 'secret')]);
    await producer.close();
    const theirs = kafkaOf({ username: name, password });
    const read = async (topic: string) => {
      const values: string[] = [];
      for await (const { value } of readAll(theirs, topic, { groupId: `${name}.spec` })) values.push(String(value));
      return values;
    };
    await eventually(async () => expect(await read(own)).toEqual(['1']), { within: 10_000 });
    await expect(read(other)).rejects.toThrow();
    await admin.forbid(rules);
    await eventually(() => expect(read(own)).rejects.toThrow(), { within: 10_000 });
    await admin.deleteUser(name);
    await admin.deleteUser(name);
    await expect(theirs.admin().topicNames()).rejects.toThrow();
  });

  it('cannot be given a prefix that covers its neighbours', async () => {
    const rule = {
      principal: 'User:p1',
      resource: 'group',
      name: 'p1',
      pattern: 'prefixed',
      operation: 'read',
    } as const;
    await expect(admin.allow([rule])).rejects.toThrow(/prefix/);
  });
});

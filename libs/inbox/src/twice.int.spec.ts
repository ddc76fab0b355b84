import { randomUUID } from 'node:crypto';
import { defineTopic } from '@castiron/contracts';
import { connect, type Kafka } from '@castiron/kafka';
import { eventually, freshDatabase } from '@castiron/testing';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { inboxMigrations, subscribe } from './index.js';
import { cutCommits, type CommitCutter } from './testing/commit-cutter.js';
import { event, InboxRig, KeepWhatHappened1795392000902, upTo } from './testing/inbox.rig.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const kafka = connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });
const within = { within: 25_000 };
let rig: InboxRig;
let cutter: CommitCutter;
let behindCutter: InboxRig;

beforeAll(async () => {
  rig = new InboxRig(await freshDatabase([...inboxMigrations, KeepWhatHappened1795392000902]), kafka);
  cutter = await cutCommits((rig.dataSource.options as { url: string }).url);
  behindCutter = new InboxRig(
    await new DataSource({
      type: 'postgres',
      url: cutter.url,
      poolErrorHandler: () => undefined,
    }).initialize(),
    kafka,
  );
});
afterEach(async () => {
  await Promise.all([rig.stopInboxes(), behindCutter.stopInboxes()]);
  expect([...rig.crashes, ...behindCutter.crashes]).toEqual([]);
});
afterAll(async () => {
  await behindCutter.close();
  await rig.close();
  cutter.close();
});

/** The same topics for a second member, as if it had been given them while the first still works. */
const besideTheFirst: Kafka = {
  ...kafka,
  consumer: (options) => kafka.consumer({ ...options, groupId: `${options.groupId}-beside` }),
};

describe('an event that comes twice', () => {
  it('at the same time, to one whose session ended and to its successor, is handled once and in order', async () => {
    const { contract, topic } = await rig.newEvent();
    const name = `spec-${randomUUID()}`;
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let entered = 0;
    const subscriptions = [
      subscribe(contract, {
        async handle({ data, key }, tx) {
          entered += 1;
          await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [topic, key, data?.n]);
          if (data?.n === 1) await gate;
        },
      }),
    ];
    await rig.producer.send(upTo(5).map((n) => event(contract, 'a', n)));
    await rig.inboxOf({ name, topics: [topic], subscriptions }).start();
    await eventually(() => expect(entered).toBe(1), within);
    await rig.inboxOf({ name, topics: [topic], subscriptions, kafka: besideTheFirst }).start();
    // The second has the same messages, and waits for what the first makes of them.
    await eventually(async () => expect(await rig.waitingForLocks('INSERT INTO inbox%')).toBe(1), within);
    expect(entered).toBe(1);
    open();
    await rig.producer.send([event(contract, 'a', 6)]);
    await eventually(async () => expect((await rig.effects(topic, 'a')).at(-1)).toBe(6), within);
    expect(await rig.effects(topic, 'a')).toEqual(upTo(6));
  });

  it('because nobody heard that it was committed, is handled once', async () => {
    const { contract, topic } = await rig.newEvent();
    const inbox = behindCutter.inboxOf({ topics: [topic], subscriptions: [behindCutter.counting(contract, topic)] });
    await inbox.start();
    for (const n of upTo(5)) {
      cutter.left = 1;
      await rig.producer.send([event(contract, 'a', 2 * n - 1), event(contract, 'a', 2 * n)]);
      await eventually(async () => expect(await rig.effects(topic, 'a')).toHaveLength(2 * n), within);
      await eventually(() => expect(cutter.left).toBe(0), within);
    }
    expect(await rig.effects(topic, 'a')).toEqual(upTo(10));
    expect(await rig.reasons(topic)).toEqual([]);
  });
});

describe('a header that asks for an answer', () => {
  it('is not heeded: nobody chooses by it where we write', async () => {
    const { contract, topic } = await rig.newEvent();
    const elsewhere = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'events', partitions: 1 });
    await rig.admin.createTopics([elsewhere]);
    await rig.inboxOf({ topics: [topic], subscriptions: [rig.counting(contract, topic)] }).start();
    const asking = event(contract, 'a', 1);
    const kafkaHeaders = { kafka_replyTopic: elsewhere.name, kafka_correlationId: '1', kafka_replyPartition: '0' };
    await rig.producer.send([{ ...asking, headers: { ...asking.headers, ...kafkaHeaders } }, event(contract, 'a', 2)]);
    await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual([1, 2]), within);
    expect(await rig.admin.endOffsets(elsewhere.name)).toEqual([{ partition: 0, offset: '0' }]);
  });
});

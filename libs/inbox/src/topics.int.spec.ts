import { randomUUID } from 'node:crypto';
import { defineTopic, mailingCancelled, replies, withdrawalConfirmed } from '@castiron/contracts';
import { Retryable } from '@castiron/failures';
import { createLogger, runWithCorrelation } from '@castiron/observability';
import { eventually, uniqueSlug, freshDatabase } from '@castiron/testing';
import { describe, expect, it } from 'vitest';
import { type Inbox, subscribe } from './index.js';
import { event, eventOn, replyOf } from './testing/inbox.rig.js';
import { kafka, migrations, rigOfFile } from './testing/rig-of-file.js';

const within = { within: 20_000 };
const rig = rigOfFile(await freshDatabase(migrations));

describe('the topics of an inbox', () => {
  it('reads more topics when it is told to, from their beginning, also one that does not exist yet', async () => {
    const first = await rig.newEvent();
    const second = await rig.newEvent();
    const lateTopic = `spec.${randomUUID()}.v1`;
    const late = eventOn(lateTopic, 'events', 'spec.late.v1');
    const secondContract = eventOn(second.topic, 'events', 'spec.second.v1');
    await rig.producer.send([event(first.contract, 'a', 1), event(secondContract, 'a', 2)]);
    const inbox = rig.inboxOf({
      topics: [first.topic, second.topic, lateTopic],
      subscriptions: [
        rig.counting(first.contract, first.topic),
        rig.counting(secondContract, second.topic),
        rig.counting(late, lateTopic),
      ],
    });
    await inbox.start();
    await eventually(async () => expect(await rig.effects(second.topic, 'a')).toEqual([2]), within);
    expect(inbox.healthy()).toBe(false);
    await rig.admin.createTopics([defineTopic({ name: lateTopic, kind: 'events', partitions: 2 })]);
    await rig.producer.send([event(late, 'a', 3)]);
    await eventually(async () => expect(await rig.effects(lateTopic, 'a')).toEqual([3]), within);
    expect(inbox.healthy()).toBe(true);
    // Nothing orders one topic behind another.
    await eventually(async () => expect(await rig.effects(first.topic, 'a')).toEqual([1]), within);
  });

  it('reads one that appears while another may not be seen any more', async () => {
    const [first, hidden, late] = [await rig.newEvent(), await rig.newEvent(), await rig.newEvent()];
    const [hiddenContract, lateContract] = [
      eventOn(hidden.topic, 'events', 'spec.hidden.v1'),
      eventOn(late.topic, 'events', 'spec.late.v1'),
    ];
    let unseen = late.topic;
    await rig.producer.send([event(first.contract, 'a', 1), event(lateContract, 'a', 2)]);
    const inbox = rig.inboxOf({
      topics: [first.topic, hidden.topic, late.topic],
      subscriptions: [
        rig.counting(first.contract, first.topic),
        rig.counting(hiddenContract, hidden.topic),
        rig.counting(lateContract, late.topic),
      ],
      kafka: {
        ...kafka,
        // As where a right to a topic is taken back.
        admin: () => {
          const admin = kafka.admin();
          const topicNames = admin.topicNames.bind(admin);
          admin.topicNames = async () => (await topicNames()).filter((name) => name !== unseen);
          return admin;
        },
      },
    });
    await inbox.start();
    await eventually(async () => expect(await rig.effects(first.topic, 'a')).toEqual([1]), within);
    unseen = hidden.topic;
    await eventually(async () => expect(await rig.effects(late.topic, 'a')).toEqual([2]), within);
    expect(inbox.healthy()).toBe(false);
    unseen = 'none';
    await eventually(() => expect(inbox.healthy()).toBe(true), within);
  });

  it('reads on where the look for one that is missing fails, with the same consumer', async () => {
    const [first, late] = [await rig.newEvent(), await rig.newEvent()];
    const lateContract = eventOn(late.topic, 'events', 'spec.late.v1');
    let state: 'missing' | 'silent' | 'there' = 'missing';
    let [refusals, consumers] = [0, 0];
    await rig.producer.send([event(first.contract, 'a', 1), event(lateContract, 'a', 9)]);
    const inbox = rig.inboxOf({
      topics: [first.topic, late.topic],
      subscriptions: [rig.counting(first.contract, first.topic), rig.counting(lateContract, late.topic)],
      kafka: {
        ...kafka,
        consumer: (options) => {
          consumers += 1;
          return kafka.consumer(options);
        },
        admin: () => {
          const admin = kafka.admin();
          const topicNames = admin.topicNames.bind(admin);
          admin.topicNames = async () => {
            if (state !== 'silent')
              return (await topicNames()).filter((name) => state === 'there' || name !== late.topic);
            refusals += 1;
            throw new Error('the broker does not answer');
          };
          return admin;
        },
      },
    });
    await inbox.start();
    await eventually(async () => expect(await rig.effects(first.topic, 'a')).toEqual([1]), within);
    state = 'silent';
    await eventually(() => expect(refusals).toBeGreaterThanOrEqual(2), within);
    await rig.producer.send([event(first.contract, 'a', 2)]);
    await eventually(async () => expect(await rig.effects(first.topic, 'a')).toEqual([1, 2]), within);
    expect(consumers).toBe(1);
    state = 'there';
    await eventually(async () => expect(await rig.effects(late.topic, 'a')).toEqual([9]), within);
  });

  it('reads a topic on outside of the request that made it read it', async () => {
    const slug = uniqueSlug();
    const lines: { msg: string; correlationId?: string }[] = [];
    const write = (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]);
    let calls = 0;
    const inbox = rig.inboxOf({
      topics: [],
      subscriptions: [
        subscribe(withdrawalConfirmed, {
          handle: () => ((calls += 1) === 1 ? Promise.reject(new Retryable('not yet')) : Promise.resolve()),
        }),
      ],
      logger: createLogger('spec', 'info', { write }),
    });
    await rig.admin.createTopics([replies.of(slug)]);
    await inbox.start();
    await runWithCorrelation('request-0001', () => inbox.watch([replies.of(slug).name]));
    await rig.producer.send([replyOf(slug)]);
    await eventually(() => expect(calls).toBe(2), within);
    expect(lines.map(({ msg }) => msg)).toContain('a batch cannot be handled yet; it is tried again');
    expect(lines.filter(({ correlationId }) => correlationId === 'request-0001')).toEqual([]);
  });

  it('watches the topics of recipients that come later, from within a handler too', async () => {
    const [first, second] = [uniqueSlug(), uniqueSlug()];
    const seen: string[] = [];
    const inbox: Inbox = rig.inboxOf({
      topics: [],
      subscriptions: [
        subscribe(withdrawalConfirmed, {
          handle({ topic }, tx) {
            seen.push(topic);
            tx.afterCommit(() => void inbox.watch([replies.of(second).name]));
            return Promise.resolve();
          },
        }),
      ],
    });
    await inbox.start();
    for (const slug of [first, second]) {
      await rig.admin.createTopics([replies.of(slug)]);
      await rig.producer.send([replyOf(slug)]);
    }
    await inbox.watch([replies.of(first).name]);
    await eventually(() => expect(seen).toEqual([replies.of(first).name, replies.of(second).name]), within);
    expect(inbox.healthy()).toBe(true);
  });

  it('does not start with an event that nobody handles', async () => {
    const { contract, topic } = await rig.newEvent();
    const subscriptions = [rig.counting(contract, topic)];
    const other = 'notifications.mailings.v1';
    expect(() => rig.inboxOf({ topics: [topic, other], subscriptions })).toThrow(/mailing-cancelled.* no handler/);
    expect(() => rig.inboxOf({ topics: [topic, other], subscriptions, ignored: [mailingCancelled] })).not.toThrow();
    expect(() => rig.inboxOf({ topics: [], subscriptions })).toThrow(/not read/);
    expect(() => rig.inboxOf({ topics: [topic], subscriptions: [...subscriptions, ...subscriptions] })).toThrow(
      /two handlers/,
    );
  });
});

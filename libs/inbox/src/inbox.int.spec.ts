import { randomUUID } from 'node:crypto';
import {
  defineEvent,
  defineTopic,
  encodeEvent,
  encodeTombstone,
  mailingCancelled,
  newEventId,
  replies,
  type TopicKind,
  type WireMessage,
  withdrawalConfirmed,
} from '@castiron/contracts';
import { Poison, Retryable } from '@castiron/failures';
import { connect } from '@castiron/kafka';
import { createLogger } from '@castiron/observability';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { outboxKey, Transactions, type PendingEvent } from '@castiron/transactions';
import { Type } from 'typebox';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { Inbox, inboxMigrations, subscribe, type InboxOptions } from './index.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const kafka = connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });
const admin = kafka.admin();
const producer = kafka.producer();
const within = { within: 20_000 };

class KeepWhatHappened1795392000902 implements MigrationInterface {
  readonly name = 'KeepWhatHappened1795392000902';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE effects (id bigserial PRIMARY KEY, topic text, key text, n int)');
    await runner.query('CREATE TABLE published (id bigserial PRIMARY KEY, key text)');
  }
  down(): Promise<void> {
    return Promise.reject(new Error('forward only'));
  }
}

let dataSource: DataSource;
let transactions: Transactions;
const inboxes: Inbox[] = [];
const crashes: Error[] = [];

beforeAll(async () => {
  dataSource = await freshDatabase([...inboxMigrations, KeepWhatHappened1795392000902]);
  transactions = new Transactions(dataSource, {
    async append(manager, events: readonly PendingEvent[]) {
      for (const { message } of events) await manager.query('INSERT INTO published (key) VALUES ($1)', [message.key]);
    },
    wake: () => undefined,
  });
});
afterEach(async () => {
  await Promise.all(inboxes.splice(0).map((inbox) => inbox.stop()));
  expect(crashes).toEqual([]);
});
afterAll(async () => {
  await producer.close();
  await admin.close();
  await dataSource.destroy();
});

const eventOn = (name: string, kind: TopicKind, type = 'spec.counted.v1') =>
  defineEvent({
    type,
    topic: defineTopic({ name, kind, partitions: 2 }),
    producer: 'notifications',
    classification: 'internal',
    personal: false,
    schema: Type.Object({ key: Type.String(), n: Type.Integer() }),
    key: (data) => data.key,
    example: { key: 'a', n: 1 },
  });
type Counted = ReturnType<typeof eventOn>;

async function newEvent(kind: TopicKind = 'events'): Promise<{ contract: Counted; topic: string }> {
  const topic = `spec.${randomUUID()}.v1`;
  const contract = eventOn(topic, kind);
  await admin.createTopics([defineTopic({ name: topic, kind, partitions: 2 })]);
  return { contract, topic };
}

const event = (contract: Counted, key: string, n: number): WireMessage =>
  encodeEvent(contract, { key, n }, { id: newEventId(), time: new Date() });

const mark = 'a-mark-that-must-not-be-readable';
// Not an encryption: it only shows that what is stored went through it.
const seal = {
  seal: (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 0x55)),
  open: (sealed: Buffer) => Buffer.from(sealed.map((byte) => byte ^ 0x55)),
};

function inboxOf(options: Partial<InboxOptions> & Pick<InboxOptions, 'topics' | 'subscriptions'>): Inbox {
  const inbox = new Inbox({
    name: `spec-${randomUUID()}`,
    dataSource,
    transactions,
    kafka,
    seal,
    logger: createLogger('spec', 'silent'),
    onCrash: (error) => crashes.push(error),
    ...options,
  });
  inboxes.push(inbox);
  return inbox;
}

/** Writes an effect and publishes an event for each message, so that a second handling would show. */
const counting = (contract: Counted, topic: string, before: (n: number, key: string) => void = () => undefined) =>
  subscribe(contract, {
    keys: ({ key }) => [outboxKey(topic, `out-${key}`)],
    async handle({ data, key }, tx) {
      await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [topic, key, data?.n ?? null]);
      tx.publish(contract, { key: `out-${key}`, n: data?.n ?? 0 });
      before(data?.n ?? 0, key);
    },
  });

const effects = async (topic: string, key: string): Promise<(number | null)[]> =>
  (
    await dataSource.query<
      {
        n: number | null;
      }[]
    >('SELECT n FROM effects WHERE topic = $1 AND key = $2 ORDER BY id', [topic, key])
  ).map(({ n }) => n);

const parked = async (
  topic: string,
): Promise<{ reason: string; state: string; ended: string | null; sealed: Buffer | null }[]> =>
  dataSource.query(
    'SELECT reason, state, ended_reason AS ended, sealed FROM parked_messages WHERE topic = $1 ORDER BY id',
    [topic],
  );

const reasons = async (topic: string): Promise<string[]> => (await parked(topic)).map(({ reason }) => reason);
const upTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

describe('the inbox', () => {
  it('handles each event once, in order per key, however often it comes', async () => {
    const { contract, topic } = await newEvent();
    const messages = upTo(250).map((n) => event(contract, n % 2 === 0 ? 'even' : 'odd', n));
    const name = `spec-${randomUUID()}`;
    await producer.send([...messages, ...messages.slice(0, 50)]);
    await inboxOf({ name, topics: [topic], subscriptions: [counting(contract, topic)] }).start();
    await eventually(
      async () => expect([...(await effects(topic, 'odd')), ...(await effects(topic, 'even'))]).toHaveLength(250),
      within,
    );
    await producer.send([...messages, event(contract, 'odd', 251)]);
    await eventually(async () => expect((await effects(topic, 'odd')).at(-1)).toBe(251), within);
    expect(await effects(topic, 'odd')).toEqual(upTo(251).filter((n) => n % 2 === 1));
    expect(await effects(topic, 'even')).toEqual(upTo(250).filter((n) => n % 2 === 0));
    const [published] = await dataSource.query<{ n: number }[]>(
      `SELECT count(*)::int AS n FROM published WHERE key IN ('out-odd', 'out-even')`,
    );
    expect(published?.n).toBe(251);
  });

  it('loses and doubles nothing when it is stopped in the midst of a batch and starts again', async () => {
    const { contract, topic } = await newEvent();
    const name = `spec-${randomUUID()}`;
    await producer.send(upTo(600).map((n) => event(contract, 'k', n)));
    const slow = subscribe(contract, {
      async handle({ data, key }, tx) {
        await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [
          topic,
          key,
          data?.n ?? null,
        ]);
        await tx.manager.query('SELECT pg_sleep(0.001)');
      },
    });
    for (const stopAt of [50, 200, 350]) {
      const inbox = inboxOf({ name, topics: [topic], subscriptions: [slow] });
      await inbox.start();
      await eventually(async () => expect((await effects(topic, 'k')).length).toBeGreaterThan(stopAt), within);
      await inbox.stop();
    }
    await inboxOf({ name, topics: [topic], subscriptions: [slow] }).start();
    await eventually(async () => expect(await effects(topic, 'k')).toHaveLength(600), within);
    expect(await effects(topic, 'k')).toEqual(upTo(600));
  });

  it('parks a poisonous event and what follows it under its key, and nothing else', async () => {
    const { contract, topic } = await newEvent();
    let poisonous = true;
    const inbox = inboxOf({
      topics: [topic],
      subscriptions: [
        counting(contract, topic, (n) => {
          if (n === 2 && poisonous) throw new Poison('of-no-use');
          if (n === 12 && poisonous) throw new TypeError('a bug');
        }),
      ],
    });
    await producer.send([
      ...[1, 2, 3].map((n) => event(contract, 'a', n)),
      ...[11, 12, 13].map((n) => event(contract, 'b', n)),
      ...[21, 22].map((n) => event(contract, 'c', n)),
    ]);
    await inbox.start();
    await eventually(async () => {
      expect(await effects(topic, 'a')).toEqual([1]);
      expect(await effects(topic, 'b')).toEqual([11]);
      expect(await effects(topic, 'c')).toEqual([21, 22]);
      expect((await reasons(topic)).sort()).toEqual(['behind-parked', 'behind-parked', 'keeps-failing', 'of-no-use']);
    }, within);
    await producer.send([event(contract, 'a', 4), event(contract, 'c', 23)]);
    await eventually(async () => expect(await effects(topic, 'c')).toEqual([21, 22, 23]), within);
    await eventually(async () => expect(await reasons(topic)).toHaveLength(5), within);
    expect(await effects(topic, 'a')).toEqual([1]);

    expect(await inbox.retryParked()).toEqual({ handled: 0, parked: 5 });
    poisonous = false;
    expect(await inbox.retryParked()).toEqual({ handled: 5, parked: 0 });
    expect(await effects(topic, 'a')).toEqual([1, 2, 3, 4]);
    expect(await effects(topic, 'b')).toEqual([11, 12, 13]);
    await producer.send([event(contract, 'a', 5)]);
    await eventually(async () => expect(await effects(topic, 'a')).toEqual([1, 2, 3, 4, 5]), within);
  });

  it('lets what must not wait overtake', async () => {
    const { contract, topic } = await newEvent();
    const urgent = eventOn(topic, 'events', 'spec.urgent.v1');
    const seen: number[] = [];
    const subscriptions = [
      counting(contract, topic, () => {
        throw new Poison('of-no-use');
      }),
      subscribe(urgent, {
        overtakes: true,
        handle({ data }) {
          seen.push(data?.n ?? 0);
          return Promise.resolve();
        },
      }),
    ];
    await producer.send([event(contract, 'a', 1), event(urgent, 'a', 2)]);
    await inboxOf({ topics: [topic], subscriptions }).start();
    await eventually(() => expect(seen).toContain(2), within);
  });

  it('takes a later record of a state topic for all before it', async () => {
    const { contract, topic } = await newEvent('state');
    const subscriptions = [
      counting(contract, topic, (n) => {
        if (n === 1) throw new Poison('of-no-use');
      }),
    ];
    await producer.send([event(contract, 'a', 1)]);
    await inboxOf({ topics: [topic], subscriptions }).start();
    await eventually(async () => expect(await reasons(topic)).toEqual(['of-no-use']), within);
    await producer.send([
      event(contract, 'a', 2),
      encodeTombstone(contract, 'a', { id: newEventId(), time: new Date() }),
    ]);
    await eventually(async () => expect(await effects(topic, 'a')).toEqual([2, null]), within);
    expect(await parked(topic)).toMatchObject([{ state: 'discarded', ended: 'superseded', sealed: null }]);
  });

  it('parks what is no event, sealed, and goes on', async () => {
    const { contract, topic } = await newEvent();
    const good = event(contract, 'a', 1);
    await producer.send([
      { ...good, headers: {} },
      { ...good, value: `{"${mark}` },
      { ...good, value: `{"key":"a","n":"${mark}"}` },
      { ...good, headers: { ...good.headers, ce_type: 'spec.other.v1' }, key: 'b' },
      { ...good, headers: { ...good.headers, ce_id: '------------------------------------' } },
      { ...good, key: `${mark}\u0000` },
      good,
      event(contract, 'b', 2),
    ]);
    await inboxOf({ topics: [topic], subscriptions: [counting(contract, topic)] }).start();
    await eventually(async () => {
      expect(await effects(topic, 'a')).toEqual([1]);
      expect((await reasons(topic)).sort()).toEqual(
        [
          'bad-data',
          'bad-data',
          'bad-json',
          'behind-parked',
          'missing-headers',
          'missing-headers',
          'unknown-type',
        ].sort(),
      );
    }, within);
    for (const { sealed } of await parked(topic)) expect(sealed?.includes(mark)).toBe(false);
  });

  it('waits for what may pass, and parks nothing for it', async () => {
    const { contract, topic } = await newEvent();
    let failures = 0;
    const subscriptions = [
      counting(contract, topic, (n) => {
        if (n === 2 && failures < 8) {
          failures += 1;
          throw new Retryable('not yet');
        }
      }),
    ];
    await producer.send([1, 2, 3].map((n) => event(contract, 'a', n)));
    await inboxOf({ topics: [topic], subscriptions }).start();
    await eventually(async () => expect(await effects(topic, 'a')).toEqual([1, 2, 3]), within);
    expect([failures, await reasons(topic)]).toEqual([8, []]);
  });

  it('survives that its database connections are cut', async () => {
    const { contract, topic } = await newEvent();
    await inboxOf({ topics: [topic], subscriptions: [counting(contract, topic)] }).start();
    for (const n of upTo(5)) {
      await producer.send(upTo(20).map((m) => event(contract, 'k', (n - 1) * 20 + m)));
      await dataSource
        .query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        )
        .catch(() => undefined);
    }
    await eventually(async () => expect(await effects(topic, 'k').catch(() => [])).toEqual(upTo(100)), within);
    expect(await reasons(topic)).toEqual([]);
  });

  it('hands a run of events over at once where the handler takes batches', async () => {
    const { contract, topic } = await newEvent();
    const runs: number[][] = [];
    const batch = subscribe(contract, {
      handle: () => Promise.reject(new Error('not used')),
      handleBatch(events) {
        runs.push(events.map(({ data }) => data?.n ?? 0));
        return Promise.resolve();
      },
    });
    await producer.send(upTo(10).map((n) => event(contract, 'a', n)));
    await inboxOf({ topics: [topic], subscriptions: [batch] }).start();
    await eventually(() => expect(runs.flat()).toEqual(upTo(10)), within);
    expect(runs.length).toBeLessThan(10);
  });

  it('reads more topics when it is told to, from their beginning, also one that does not exist yet', async () => {
    const first = await newEvent();
    const second = await newEvent();
    const lateTopic = `spec.${randomUUID()}.v1`;
    const late = eventOn(lateTopic, 'events', 'spec.late.v1');
    const secondContract = eventOn(second.topic, 'events', 'spec.second.v1');
    await producer.send([event(first.contract, 'a', 1), event(secondContract, 'a', 2)]);
    const inbox = inboxOf({
      topics: [first.topic, second.topic, lateTopic],
      subscriptions: [
        counting(first.contract, first.topic),
        counting(secondContract, second.topic),
        counting(late, lateTopic),
      ],
    });
    await inbox.start();
    await eventually(async () => expect(await effects(second.topic, 'a')).toEqual([2]), within);
    expect(inbox.healthy()).toBe(false);
    await admin.createTopics([defineTopic({ name: lateTopic, kind: 'events', partitions: 2 })]);
    await producer.send([event(late, 'a', 3)]);
    await eventually(async () => expect(await effects(lateTopic, 'a')).toEqual([3]), within);
    expect(inbox.healthy()).toBe(true);
    expect(await effects(first.topic, 'a')).toEqual([1]);
  });

  it('watches the topics of recipients that come later, from within a handler too', async () => {
    const [first, second] = [uniqueSlug(), uniqueSlug()];
    const seen: string[] = [];
    const inbox: Inbox = inboxOf({
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
      await admin.createTopics([replies.of(slug)]);
      await producer.send([
        encodeEvent(withdrawalConfirmed, withdrawalConfirmed.example, { id: newEventId(), time: new Date() }, slug),
      ]);
    }
    await inbox.watch([replies.of(first).name]);
    await eventually(() => expect(seen).toEqual([replies.of(first).name, replies.of(second).name]), within);
    expect(inbox.healthy()).toBe(true);
  });

  it('does not start with an event that nobody handles', async () => {
    const { contract, topic } = await newEvent();
    const subscriptions = [counting(contract, topic)];
    const other = 'notifications.mailings.v1';
    expect(() => inboxOf({ topics: [topic, other], subscriptions })).toThrow(/mailing-cancelled.* no handler/);
    expect(() => inboxOf({ topics: [topic, other], subscriptions, ignored: [mailingCancelled] })).not.toThrow();
    expect(() => inboxOf({ topics: [], subscriptions })).toThrow(/not read/);
    expect(() => inboxOf({ topics: [topic], subscriptions: [...subscriptions, ...subscriptions] })).toThrow(
      /two handlers/,
    );
  });
});

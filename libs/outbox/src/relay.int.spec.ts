import { randomUUID } from 'node:crypto';
import { defineEvent, defineTopic, type EventContract } from '@castiron/contracts';
import { connect, readAll } from '@castiron/kafka';
import { createLogger } from '@castiron/observability';
import { eventually, freshDatabase } from '@castiron/testing';
import { outboxKey, Transactions } from '@castiron/transactions';
import { Type } from 'typebox';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { outboxMigrations, Relay } from './index.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const kafka = connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });
const admin = kafka.admin();
const logger = createLogger('spec', 'silent');

let dataSource: DataSource;
const relays: Relay[] = [];

beforeAll(async () => {
  dataSource = await freshDatabase(outboxMigrations, { poolSize: 40 });
});
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.stop()));
});
afterAll(async () => {
  await dataSource.destroy();
  await admin.close();
});

const eventOn = (name: string) =>
  defineEvent({
    type: 'spec.counted.v1',
    topic: defineTopic({ name, kind: 'events' }),
    producer: 'notifications',
    classification: 'internal',
    personal: false,
    schema: Type.Object({ key: Type.String(), n: Type.Integer() }),
    key: (data) => data.key,
    example: { key: 'a', n: 1 },
  });

async function newEvent(): Promise<{ contract: ReturnType<typeof eventOn>; topic: string }> {
  const topic = `spec.${randomUUID()}.v1`;
  const contract = eventOn(topic);
  await admin.createTopics([contract.topic as Extract<EventContract['topic'], { name: string }>]);
  return { contract, topic };
}

function relay(): Relay {
  const made = new Relay({ dataSource, kafka, logger });
  relays.push(made);
  return made;
}

async function received(topic: string): Promise<Map<string, number[]>> {
  const byKey = new Map<string, number[]>();
  for await (const { key, value } of readAll(kafka, topic)) {
    const list = byKey.get(String(key)) ?? [];
    list.push((JSON.parse(String(value)) as { n: number }).n);
    byKey.set(String(key), list);
  }
  return byKey;
}

const upTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1);

describe('the relay', () => {
  it('loses and reorders nothing of 24 racing writers, some of them slow', async () => {
    const { contract, topic } = await newEvent();
    const running = relay();
    await running.start();
    const transactions = new Transactions(dataSource, running, { contract });
    const counters = new Map<string, number>();
    const keys = upTo(10).map((n) => `k${n}`);
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; n < 25; n += 1) {
        const key = keys[(writer * 7 + n * 3) % keys.length] ?? 'k1';
        await transactions.run([outboxKey(topic, key)], async (tx) => {
          // The lock of the key is held, so this counter is safe, and its order is the order of commits.
          const next = (counters.get(key) ?? 0) + 1;
          counters.set(key, next);
          tx.publish(contract, { key, n: next });
          // A transaction id early and a commit late: the row's id is older than what others have already shown.
          await tx.manager.query('SELECT pg_current_xact_id(), pg_sleep($1)', [
            (writer * 31 + n * 17) % 20 === 0 ? 0.15 : 0,
          ]);
        });
      }
    };
    await Promise.all(upTo(24).map(write));
    await eventually(
      async () => {
        const all = await received(topic);
        expect([...all.values()].flat()).toHaveLength(24 * 25);
        for (const key of keys) expect(all.get(key)).toEqual(upTo(counters.get(key) ?? 0));
      },
      { within: 25_000 },
    );
  });

  it('sends a row that commits after younger ones were sent', async () => {
    const { contract, topic } = await newEvent();
    const running = relay();
    await running.start();
    const transactions = new Transactions(dataSource, running, { contract });
    let commitLate = (): void => undefined;
    const late = new Promise<void>((resolve) => (commitLate = resolve));
    const slow = dataSource.transaction(async (manager) => {
      await running.append(manager, [
        {
          eventId: randomUUID(),
          type: contract.type,
          message: { topic, key: 'late', value: '{"key":"late","n":1}', headers: {} },
        },
      ]);
      await late;
    });
    await transactions.run([outboxKey(topic, 'early')], (tx) =>
      Promise.resolve(tx.publish(contract, { key: 'early', n: 1 })),
    );
    await eventually(async () => expect([...(await received(topic)).keys()]).toEqual(['early']), { within: 15_000 });
    commitLate();
    await slow;
    await eventually(async () => expect([...(await received(topic)).keys()].sort()).toEqual(['early', 'late']), {
      within: 15_000,
    });
  });

  it('sends what was written while it was away, once, and says where each event stood', async () => {
    const { contract, topic } = await newEvent();
    const transactions = new Transactions(dataSource, relay(), { contract });
    for (const n of upTo(1_200)) {
      await transactions.run([outboxKey(topic, 'k')], (tx) => Promise.resolve(tx.publish(contract, { key: 'k', n })));
    }
    await relay().start();
    await eventually(async () => expect((await received(topic)).get('k')).toHaveLength(1_200), { within: 15_000 });
    await relays.splice(1, 1)[0]?.stop();
    await relay().start();
    const sequences: number[] = [];
    for await (const { headers } of readAll(kafka, topic)) sequences.push(Number(String(headers['ce_sequence'])));
    expect(sequences).toHaveLength(1_200);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  });

  it('is woken by another process that holds no lane', async () => {
    const { contract, topic } = await newEvent();
    const [owner, other] = [relay(), relay()];
    await owner.start();
    await other.start();
    const transactions = new Transactions(dataSource, other, { contract });
    await transactions.run([outboxKey(topic, 'k')], (tx) => Promise.resolve(tx.publish(contract, { key: 'k', n: 1 })));
    await eventually(async () => expect((await received(topic)).get('k')).toEqual([1]), { within: 15_000 });
  });

  it('goes on with other lanes while one cannot be sent, and sends that one later', async () => {
    const { contract, topic } = await newEvent();
    const absent = `spec.${randomUUID()}.v1`;
    const blocked = eventOn(absent);
    const running = relay();
    await running.start();
    const transactions = new Transactions(dataSource, running, { contract, blocked });
    await transactions.run([outboxKey(absent, 'k')], (tx) => Promise.resolve(tx.publish(blocked, { key: 'k', n: 1 })));
    const keys = upTo(16).map((n) => `k${n}`);
    for (const key of keys) {
      await transactions.run([outboxKey(topic, key)], (tx) => Promise.resolve(tx.publish(contract, { key, n: 1 })));
    }
    await eventually(async () => expect((await received(topic)).size).toBeGreaterThan(8), { within: 20_000 });
    await admin.createTopics([defineTopic({ name: absent, kind: 'events' })]);
    await eventually(async () => expect((await received(topic)).size).toBe(16), { within: 20_000 });
    await eventually(async () => expect((await received(absent)).get('k')).toEqual([1]), { within: 20_000 });
  });

  it('sends everything left again when the database comes from another cluster', async () => {
    const { contract, topic } = await newEvent();
    const first = relay();
    await first.start();
    const transactions = new Transactions(dataSource, first, { contract });
    await transactions.run([outboxKey(topic, 'k')], (tx) => Promise.resolve(tx.publish(contract, { key: 'k', n: 1 })));
    await eventually(async () => expect((await received(topic)).get('k')).toEqual([1]), { within: 15_000 });
    await first.stop();
    relays.splice(0);
    // As after a restore: ids of transactions that this cluster has not come to, and another name.
    await dataSource.query(`UPDATE outbox_cluster SET system_identifier = '1'`);
    await dataSource.query(`UPDATE outbox SET xid = '9000000000' WHERE aggregatetype = $1`, [topic]);
    await relay().start();
    await eventually(async () => expect((await received(topic)).get('k')).toEqual([1, 1]), { within: 20_000 });
  });

  it('drops a partition once everything in it is sent and nothing more can come into it', async () => {
    const { contract, topic } = await newEvent();
    const partitions = async (): Promise<string[]> =>
      (
        await dataSource.query<
          {
            relname: string;
          }[]
        >(`SELECT relname FROM pg_class WHERE relname ~ '^outbox_p[0-9]+$' ORDER BY 1`)
      ).map(({ relname }) => relname);
    expect(await partitions()).toContain('outbox_p0');
    await dataSource.query(`SELECT setval('outbox_id', 99998)`);
    const transactions = new Transactions(dataSource, relay(), { contract });
    for (const n of upTo(4)) {
      await transactions.run([outboxKey(topic, 'k')], (tx) => Promise.resolve(tx.publish(contract, { key: 'k', n })));
    }
    const running = relay();
    await running.start();
    await eventually(async () => expect((await received(topic)).get('k')).toEqual(upTo(4)), { within: 15_000 });
    await running.stop();
    const again = relay();
    await again.start();
    await eventually(async () => expect(await partitions()).not.toContain('outbox_p0'), { within: 15_000 });
    expect(await partitions()).toContain('outbox_p8');
  });
});

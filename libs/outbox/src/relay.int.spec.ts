import { randomUUID } from 'node:crypto';
import { readAll } from '@castiron/kafka';
import { eventually, freshDatabase } from '@castiron/testing';
import { outboxKey, Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { outboxMigrations } from './index.js';
import { laneOf, LANES } from './lanes.js';
import { PARTITION_IDS, partitions } from './partitions.js';
import { eventOn, RelayRig, upTo } from './testing/relay.rig.js';

const DAY_MS = 86_400_000;

let dataSource: DataSource;
let rig: RelayRig;

beforeAll(async () => {
  dataSource = await freshDatabase(outboxMigrations, { poolSize: 40 });
  rig = new RelayRig(dataSource);
});
afterEach(() => rig.stopRelays());
afterAll(() => rig.close());

describe('the relay', () => {
  it('loses and reorders nothing of 24 racing writers, some of them slow', async () => {
    const { contract, topic } = await rig.newEvent();
    const running = rig.relay();
    await running.start();
    const transactions = new Transactions(dataSource, running, { contract });
    const counters = new Map<string, number>();
    const keys = upTo(10).map((n) => `k${n}`);
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; n < 25; n += 1) {
        const key = keys[(writer * 7 + n * 3) % keys.length] ?? 'k1';
        await transactions.run([outboxKey(topic, key)], async (tx) => {
          // A transaction id early and a commit late: the row's id is older than what others have already shown.
          await tx.manager.query('SELECT pg_current_xact_id(), pg_sleep($1)', [
            (writer * 31 + n * 17) % 20 === 0 ? 0.15 : 0,
          ]);
          // The lock of the key is held, so this counter is safe, and its order is the order of commits.
          const next = (counters.get(key) ?? 0) + 1;
          counters.set(key, next);
          tx.publish(contract, { key, n: next });
        });
      }
    };
    await Promise.all(upTo(24).map(write));
    await eventually(
      async () => {
        const all = await rig.received(topic);
        expect([...all.values()].flat()).toHaveLength(24 * 25);
        for (const key of keys) expect(all.get(key)).toEqual(upTo(counters.get(key) ?? 0));
      },
      { within: 25_000 },
    );
  });

  it('sends a row that commits after younger ones were sent', async () => {
    const { contract, topic } = await rig.newEvent();
    const running = rig.relay();
    await running.start();
    const transactions = new Transactions(dataSource, running, { contract });
    let commitLate = (): void => undefined;
    const late = new Promise<void>((resolve) => (commitLate = resolve));
    const slow = dataSource.transaction(async (manager) => {
      const { text, values } = running.append([
        {
          eventId: randomUUID(),
          type: contract.type,
          message: { topic, key: 'late', value: '{"key":"late","n":1}', headers: {} },
        },
      ]);
      await manager.query(text, values);
      await late;
    });
    await transactions.run([outboxKey(topic, 'early')], (tx) =>
      Promise.resolve(tx.publish(contract, { key: 'early', n: 1 })),
    );
    await eventually(async () => expect([...(await rig.received(topic)).keys()]).toEqual(['early']), {
      within: 15_000,
    });
    commitLate();
    await slow;
    await eventually(async () => expect([...(await rig.received(topic)).keys()].sort()).toEqual(['early', 'late']), {
      within: 15_000,
    });
  });

  it('sends what was written while it was away, once, and says where each event stood', async () => {
    const { contract, topic } = await rig.newEvent();
    const transactions = new Transactions(dataSource, rig.relay(), { contract });
    for (const n of upTo(1_200)) {
      await transactions.run([outboxKey(topic, 'k')], (tx) => Promise.resolve(tx.publish(contract, { key: 'k', n })));
    }
    await rig.relay().start();
    await eventually(async () => expect((await rig.received(topic)).get('k')).toHaveLength(1_200), { within: 15_000 });
    await rig.stopRelays();
    await rig.relay().start();
    // Whatever is sent again comes before it.
    await rig.publish(contract, topic, { key: 'k', n: 1_201 });
    await eventually(async () => expect((await rig.received(topic)).get('k')).toContain(1_201), { within: 15_000 });
    const sequences: number[] = [];
    for await (const { headers } of readAll(rig.kafka, topic)) sequences.push(Number(String(headers['ce_sequence'])));
    expect(sequences).toHaveLength(1_201);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  });

  it.each(['its own process', 'another process that holds no lane'])('is woken by %s, each time', async (whose) => {
    const { contract, topic } = await rig.newEvent();
    // Nobody looks by himself.
    const seldom = { leaseMs: 100_000_000, pollMs: 100_000_000 };
    const [owner, other] = [rig.relay(seldom), rig.relay(seldom)];
    await owner.start();
    await eventually(async () =>
      expect(await dataSource.query('SELECT FROM outbox_lanes WHERE lease_until > now()')).toHaveLength(LANES),
    );
    await other.start();
    const transactions = new Transactions(dataSource, whose === 'its own process' ? owner : other, { contract });
    let n = 0;
    const publish = () =>
      transactions.run([outboxKey(topic, 'k')], (tx) =>
        Promise.resolve(tx.publish(contract, { key: 'k', n: (n += 1) })),
      );
    const received = async () => (await rig.received(topic)).get('k') ?? [];
    // Once both listen.
    await eventually(
      async () => {
        await publish();
        expect(await received()).not.toEqual([]);
      },
      { within: 15_000 },
    );
    await eventually(async () => expect(await received()).toEqual(upTo(n)), { within: 15_000 });
    for (let times = 0; times < 5; times += 1) {
      await publish();
      await eventually(async () => expect(await received()).toEqual(upTo(n)), { within: 15_000 });
    }
  });

  it('goes on with other lanes while one cannot be sent, and sends that one later', async () => {
    const { contract, topic } = await rig.newEvent();
    const absent = `spec.${randomUUID()}.v1`;
    const blocked = eventOn(absent);
    const running = rig.relay();
    await running.start();
    const transactions = new Transactions(dataSource, running, { contract, blocked });
    await transactions.run([outboxKey(absent, 'k')], (tx) => Promise.resolve(tx.publish(blocked, { key: 'k', n: 1 })));
    const isFree = (key: string): boolean => laneOf(topic, key) !== laneOf(absent, 'k');
    const keys = upTo(16).map((n) => `k${n}`);
    const free = keys.filter(isFree).sort();
    expect(free.length).toBeGreaterThan(0);
    for (const key of keys) {
      await transactions.run([outboxKey(topic, key)], (tx) => Promise.resolve(tx.publish(contract, { key, n: 1 })));
    }
    await eventually(async () => expect([...(await rig.received(topic)).keys()].sort()).toEqual(free), {
      within: 20_000,
    });
    await rig.createTopic(absent);
    await eventually(async () => expect((await rig.received(topic)).size).toBe(16), { within: 20_000 });
    await eventually(async () => expect((await rig.received(absent)).get('k')).toEqual([1]), { within: 20_000 });
  });

  it.each([
    ['forty days behind', -40 * DAY_MS],
    ['two hours ahead', DAY_MS / 12],
  ])("sends what is kept by the broker's clock, though its own is %s", async (_how, shift) => {
    const { contract, topic } = await rig.newEvent();
    await rig.publish(contract, topic, { key: 'k', n: 1 });
    const now = Date.now.bind(Date);
    const shifted = vi.spyOn(Date, 'now').mockImplementation(() => now() + shift);
    try {
      await rig.relay().start();
      await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual([1]), { within: 15_000 });
    } finally {
      shifted.mockRestore();
    }
    for await (const { timestamp } of readAll(rig.kafka, topic)) {
      expect(Math.abs(timestamp.getTime() - Date.now())).toBeLessThan(60_000);
    }
  });

  it('drops a partition once everything in it is sent and nothing more can come into it', async () => {
    const { contract, topic } = await rig.newEvent();
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
    const transactions = new Transactions(dataSource, rig.relay(), { contract });
    for (const n of upTo(4)) {
      await transactions.run([outboxKey(topic, 'k')], (tx) => Promise.resolve(tx.publish(contract, { key: 'k', n })));
    }
    const running = rig.relay();
    await running.start();
    await eventually(async () => expect((await rig.received(topic)).get('k')).toEqual(upTo(4)), { within: 15_000 });
    await running.stop();
    const again = rig.relay({ maintenanceMs: 100 });
    await again.start();
    await eventually(async () => expect(await partitions()).not.toContain('outbox_p0'), { within: 15_000 });
    expect(await partitions()).toContain('outbox_p8');
  });

  it('looks after partitions for as long as it runs', async () => {
    const { contract, topic } = await rig.newEvent();
    const oldest = async () => (await partitions((statement) => dataSource.query(statement)))[0]?.from ?? -1n;
    await rig.relay({ maintenanceMs: 100, pollMs: 50 }).start();
    // A look drops one at most.
    for (let times = 0; times < 2; times += 1) {
      const next = (await oldest()) + PARTITION_IDS;
      await dataSource.query(`SELECT setval('outbox_id', ${next - 2n})`);
      for (const n of upTo(2)) await rig.publish(contract, topic, { key: 'k', n });
      await eventually(async () => expect(await oldest()).toBe(next), { within: 15_000 });
    }
  });
});

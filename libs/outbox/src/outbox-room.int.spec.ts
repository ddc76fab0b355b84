import { randomUUID } from 'node:crypto';
import { NoRoom } from '@castiron/failures';
import { connect, type Kafka } from '@castiron/kafka';
import { createLogger, createMetrics } from '@castiron/observability';
import { eventually, freshDatabase } from '@castiron/testing';
import type { OutboxPort, PendingEvent } from '@castiron/transactions';
import { defineTopic } from '@castiron/contracts';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { appendToOutbox, outboxMigrations, OutboxRoom, Relay } from './index.js';
import { LANES } from './lanes.js';
import { unsettledIds } from './outbox-room.js';
import { addressOf } from './testing/address-of.js';

const principal = inject('stack').kafka.principals['admin'];
if (principal === undefined) throw new Error('the stack has no admin');
const there = connect({ brokers: [inject('stack').kafka.bootstrap], clientId: 'spec', ...principal });
const away = connect({ brokers: ['127.0.0.1:1'], clientId: 'spec', ...principal });
const logger = createLogger('spec', 'silent');

let dataSource: DataSource;
let topic: string;

beforeEach(async () => {
  dataSource = await freshDatabase(outboxMigrations);
  topic = `spec.${randomUUID()}.v1`;
  const admin = there.admin();
  await admin.createTopics([defineTopic({ name: topic, kind: 'events' })]);
  await admin.close();
});
afterEach(() => dataSource.destroy());

const event = (n: number, reserved = false): PendingEvent => ({
  eventId: randomUUID(),
  type: 'spec.counted.v1',
  message: { topic, key: `key-${n}`, value: '{}', headers: {} },
  reserved,
});
const append = async (outbox: Pick<OutboxPort, 'append'>, ...events: PendingEvent[]) => {
  const { text, values } = outbox.append(events);
  await dataSource.query(text, values);
};
const write = (count: number) =>
  append({ append: appendToOutbox }, ...Array.from({ length: count }, (_, n) => event(n)));

const writeMany = (count: number) =>
  dataSource.query(
    `INSERT INTO outbox (xid, lane, event_id, aggregatetype, aggregateid, type, headers)
     SELECT pg_current_xact_id(), n % ${LANES}, gen_random_uuid(), $1, n::text, 'spec.counted.v1', '{}' FROM generate_series(1, $2::int) n`,
    [topic, count],
  );

async function during<T>(kafka: Kafka, work: () => Promise<T>, options: { leaseMs?: number } = {}): Promise<T> {
  const relay = new Relay({ name: randomUUID(), database: addressOf(dataSource), kafka, logger, ...options });
  await relay.start();
  try {
    return await work();
  } finally {
    await relay.stop();
  }
}

const settles = () => eventually(async () => expect(await unsettledIds(dataSource)).toBe(0));

describe('the size of the outbox', () => {
  it('is what no relay has settled: nothing at first, all without a relay, nothing once it is sent', async () => {
    expect(await unsettledIds(dataSource)).toBe(0);
    await write(30);
    expect(await unsettledIds(dataSource)).toBe(30);
    await during(there, settles);
    await write(7);
    expect(await unsettledIds(dataSource)).toBe(7);
  });

  it('grows while the broker is away, with a relay that tries, and falls to nothing when it is back', async () => {
    await during(there, async () => {
      await write(5);
      await settles();
    });
    await during(away, async () => {
      await write(20);
      await write(20);
      expect(await unsettledIds(dataSource)).toBe(40);
    });
    expect(await unsettledIds(dataSource)).toBe(40);
    await during(there, settles);
  });

  it('is found without reading what waits', async () => {
    await writeMany(200_000);
    await dataSource.query('ANALYZE outbox');
    const before = await reads();
    expect(await unsettledIds(dataSource)).toBe(200_000);
    await eventually(async () => expect(await reads()).toBeGreaterThan(before));
    expect((await reads()) - before).toBeLessThan(500);
  });

  it('is found without reading what one lane sent while there was nothing for the others', async () => {
    const sendAll = async (count: number) => {
      await append({ append: appendToOutbox }, ...Array.from({ length: count }, () => event(1)));
      await settles();
    };
    // Whose leases are not renewed meanwhile, which writes where all lanes stand.
    const leaseMs = 60_000;
    await during(
      there,
      async () => {
        await sendAll(500);
        await sendAll(1);
        await sendAll(1);
        expect((await measured()).reads).toBeLessThan(10);
      },
      { leaseMs },
    );
  });

  it('is found without reading what was sent, though a transaction of before is open', async () => {
    await dataSource.transaction(async (open) => {
      await open.query('SELECT pg_current_xact_id()');
      await writeMany(20_000);
      await dataSource.query('ANALYZE outbox');
      await dataSource.query(
        'UPDATE outbox_lanes SET settled = now, reading = now FROM (SELECT pg_current_snapshot() AS now) AS seen',
      );
      expect(await measured()).toEqual({ ids: 0, reads: 0 });
      const { text, values } = appendToOutbox([event(1)]);
      await open.query(text, values);
    });
    expect(await measured()).toEqual({ ids: 1, reads: 1 });
  });
});

it('the size of the outbox is asked for once at a time, however long the answer takes', async () => {
  await write(3);
  const room = new OutboxRoom({ dataSource, limit: 10, logger });
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    await room.start();
    const asked = vi.spyOn(dataSource, 'query');
    // Nothing can be answered in between.
    vi.advanceTimersByTime(5_000);
    expect(asked).toHaveBeenCalledOnce();
    await asked.mock.results[0]?.value;
    await eventually(() => {
      vi.advanceTimersByTime(1_000);
      expect(asked).toHaveBeenCalledTimes(2);
    });
    await room.stop();
  } finally {
    vi.useRealTimers();
  }
});

/** The outbox's size, and how many of its rows were read for it. */
const measured = () =>
  dataSource.transaction(async (manager) => {
    // What was read in the transactions of just now may be among it.
    const read = async (): Promise<number> => {
      const [row] = await manager.query<{ reads: number }[]>(
        `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS reads FROM pg_stat_xact_user_tables WHERE relname ~ '^outbox_p'`,
      );
      return row?.reads ?? 0;
    };
    const before = await read();
    const ids = await unsettledIds(manager);
    return { ids, reads: (await read()) - before };
  });

/** Rows of the outbox that were read so far, by index or by scan. */
async function reads(): Promise<number> {
  const [row] = await dataSource.query<{ n: string }[]>(
    `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS n FROM pg_stat_user_tables WHERE relname ~ '^outbox'`,
  );
  return Number(row?.n ?? 0);
}

describe('an outbox that is full', () => {
  it('takes nothing that adds, whatever takes away, and all again once there is room', async () => {
    const metrics = createMetrics('spec');
    const room = new OutboxRoom({ dataSource, limit: 10, logger, metrics });
    await room.start();
    const outbox = room.before({ append: appendToOutbox, wake: () => undefined });
    try {
      await append(outbox, event(0));
      await write(9);
      await eventually(() => room.isFull);
      // Before more comes, which it may measure at any time.
      expect(await metrics.registry.metrics()).toMatch(/castiron_outbox_unsettled\{.*\} 10\n/);
      await expect(append(outbox, event(1))).rejects.toThrow(NoRoom);
      // One that adds is refused with its whole transaction.
      await expect(append(outbox, event(1, true), event(2))).rejects.toThrow(NoRoom);
      await append(outbox, event(1, true), event(2, true));
      expect(await unsettledIds(dataSource)).toBe(12);
      await during(there, () => eventually(() => !room.isFull));
      await append(outbox, event(1));
    } finally {
      await room.stop();
    }
  });
});

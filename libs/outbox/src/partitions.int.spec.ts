import { eventually, freshDatabase } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendToOutbox, outboxMigrations } from './index.js';
import { createPartitions, dropSettledPartition, PARTITION_IDS } from './partitions.js';

let dataSource: DataSource;
let events = 0;

beforeEach(async () => {
  dataSource = await freshDatabase(outboxMigrations);
});
afterEach(() => dataSource.destroy());

const message = () => ({
  eventId: `00000000-0000-7000-8000-${String((events += 1)).padStart(12, '0')}`,
  type: 'spec.counted.v1',
  message: { topic: 'spec.partitions.v1', key: 'k', value: '{}', headers: {} },
});
const append = () => dataSource.transaction((manager) => appendToOutbox(manager, [message()]));
/** As the relay does once it has sent all that it sees. */
const settle = () => dataSource.query('UPDATE outbox_lanes SET settled = pg_current_snapshot()');
const goTo = (id: bigint) => dataSource.query(`SELECT setval('outbox_id', ${id - 1n})`);
const create = () => dataSource.transaction((manager) => createPartitions((statement) => manager.query(statement)));
const drop = () => dataSource.transaction((manager) => dropSettledPartition((statement) => manager.query(statement)));

/** A transaction that has its id and holds its commit back. */
async function appendSlowly(): Promise<{ commit(): Promise<void> }> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let written = (): void => undefined;
  const isWritten = new Promise<void>((resolve) => (written = resolve));
  const ended = dataSource.transaction(async (manager) => {
    await appendToOutbox(manager, [message()]);
    written();
    await released;
  });
  await isWritten;
  return {
    commit() {
      release();
      return ended;
    },
  };
}

/** Whether somebody waits to have a table for themselves. */
async function isWaiting(): Promise<boolean> {
  const rows = await dataSource.query<unknown[]>(
    `SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return rows.length > 0;
}

async function partitions(): Promise<string[]> {
  const rows = await dataSource.query<{ name: string }[]>(
    `SELECT relname AS name FROM pg_class WHERE relname ~ '^outbox_p[0-9]+$' ORDER BY relname`,
  );
  return rows.map(({ name }) => name);
}

describe('the oldest partition of the outbox', () => {
  it('goes once ids have passed it and every lane has settled all of it', async () => {
    await append();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    expect(await drop()).toBe(true);
    expect((await partitions())[0]).toBe('outbox_p1');
    expect(await drop()).toBe(false);
  });

  it('stays while ids may still come into it', async () => {
    await append();
    await settle();
    expect(await drop()).toBe(false);
    await goTo(PARTITION_IDS - 1n);
    await append();
    await settle();
    expect(await drop()).toBe(false);
  });

  it('goes after an hour where few events come, and not before all of them are settled', async () => {
    await append();
    await settle();
    expect(await drop()).toBe(false);
    await dataSource.query(`UPDATE outbox SET created_at = now() - interval '61 minutes'`);
    await append();
    expect(await drop()).toBe(false);
    await settle();
    expect(await drop()).toBe(true);
    expect((await partitions())[0]).toBe('outbox_p1');
    await append();
    expect(await dataSource.query('SELECT id FROM outbox')).toEqual([{ id: String(PARTITION_IDS) }]);
    await settle();
    expect(await drop()).toBe(false);
  });

  it('stays while a single event in it is not settled by its own lane', async () => {
    await append();
    await settle();
    await append();
    await goTo(PARTITION_IDS);
    await append();
    expect(await drop()).toBe(false);
    await dataSource.query(
      'UPDATE outbox_lanes SET settled = pg_current_snapshot() WHERE lane NOT IN (SELECT lane FROM outbox)',
    );
    expect(await drop()).toBe(false);
    await settle();
    expect(await drop()).toBe(true);
  });

  it('stays while a transaction that took an id of it has not ended, and is not waited for', async () => {
    await append();
    const slow = await appendSlowly();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    await expect(drop()).rejects.toMatchObject({ driverError: { code: '55P03' } });
    await slow.commit();
    expect(await drop()).toBe(false);
    await settle();
    expect(await drop()).toBe(true);
  });

  it('stays where such a transaction ends while the drop waits for it', async () => {
    await append();
    const slow = await appendSlowly();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    let over = false;
    // Where the machine is slow the wait may run out first: that is no drop either.
    const dropping = drop()
      .catch(() => false)
      .finally(() => (over = true));
    await eventually(async () => over || (await isWaiting()));
    await slow.commit();
    expect(await dropping).toBe(false);
    expect(await partitions()).toContain('outbox_p0');
  });
});

describe('room for ids to come', () => {
  it('is made ahead of them, and never waits for long', async () => {
    await goTo(5n * PARTITION_IDS);
    await append();
    await Promise.all([create(), create().catch(() => undefined)]);
    expect(await partitions()).toContain('outbox_p12');
    await goTo(9n * PARTITION_IDS);
    await append();
    const slow = await appendSlowly();
    await expect(create()).rejects.toMatchObject({ driverError: { code: '55P03' } });
    await slow.commit();
    await create();
    expect(await partitions()).toContain('outbox_p16');
  });
});

import { eventually, freshDatabase } from '@castiron/testing';
import type { DataSource, EntityManager } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connections } from './connections.js';
import { appendToOutbox, outboxMigrations } from './index.js';
import { createPartitions, dropSettledPartition, PARTITION_IDS } from './partitions.js';
import { addressOf } from './testing/address-of.js';

let dataSource: DataSource;
let connections: Connections;
let events = 0;

beforeEach(async () => {
  dataSource = await freshDatabase(outboxMigrations);
  connections = new Connections(addressOf(dataSource), () => undefined);
});
afterEach(async () => {
  await connections.end();
  await dataSource.destroy();
});

const message = () => ({
  eventId: `00000000-0000-7000-8000-${String((events += 1)).padStart(12, '0')}`,
  type: 'spec.counted.v1',
  message: { topic: 'spec.partitions.v1', key: 'k', value: '{}', headers: {} },
});
const append = async (on: Pick<EntityManager, 'query'> = dataSource) => {
  const { text, values } = appendToOutbox([message()]);
  await on.query(text, values);
};
/** As the relay does once it has sent all that it sees. */
const settle = () => dataSource.query('UPDATE outbox_lanes SET settled = pg_current_snapshot()');
const goTo = (id: bigint) => dataSource.query(`SELECT setval('outbox_id', ${id - 1n})`);
const create = () => connections.inTransaction(createPartitions, []);
const drop = () => connections.inTransaction(dropSettledPartition, []);

/** A transaction that has done its work and holds its commit back. */
async function slowly(
  work: (manager: EntityManager) => Promise<unknown>,
  level: 'READ COMMITTED' | 'SERIALIZABLE' = 'READ COMMITTED',
): Promise<{ commit(): Promise<void> }> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let done = (): void => undefined;
  const isDone = new Promise<void>((resolve) => (done = resolve));
  const ended = dataSource.transaction(level, async (manager) => {
    await work(manager);
    done();
    await released;
  });
  await isDone;
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

/** Whether anybody waits for a table of this database. */
async function somebodyWaits(): Promise<boolean> {
  const rows = await dataSource.query<unknown[]>(
    `SELECT FROM pg_locks WHERE locktype = 'relation' AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  );
  return rows.length > 0;
}

/** Runs work and tells whether anybody waited for a table meanwhile. */
async function waitsDuring(work: () => Promise<void>): Promise<boolean> {
  let waited = false;
  let over = false;
  const watching = eventually(async () => {
    waited ||= await somebodyWaits();
    return over;
  });
  await work().finally(() => (over = true));
  await watching;
  return waited;
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

  it('stays while an event in it is of a lane that nobody knows', async () => {
    await append();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    await dataSource.query('DELETE FROM outbox_lanes WHERE lane IN (SELECT lane FROM outbox)');
    expect(await drop()).toBe(false);
    await dataSource.query(
      'INSERT INTO outbox_lanes (lane, settled) SELECT lane, pg_current_snapshot() FROM (SELECT DISTINCT lane FROM outbox)',
    );
    expect(await drop()).toBe(true);
  });

  it('stays while a transaction that took an id of it has not ended, and is not waited for', async () => {
    await append();
    const slow = await slowly(append);
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    // Given up while it waits, or not begun, as the case may be.
    expect(await drop().catch((error: unknown) => error)).toSatisfy(
      (outcome: unknown) => outcome === false || (outcome as { code: string }).code === '55P03',
    );
    await slow.commit();
    expect(await drop()).toBe(false);
    await settle();
    expect(await drop()).toBe(true);
  });

  it.each(['read committed', 'repeatable read', 'serializable'])(
    'stays where such a transaction ends while the drop waits for it, though the database begins with %s',
    async (level) => {
      await dataSource.query(
        `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_isolation = %L', current_database(), '${level}'); END $$`,
      );
      await append();
      const slow = await slowly(append);
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
    },
  );

  it('goes while somebody is at another one alone, as autovacuum is', async () => {
    await append();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    const vacuum = await slowly((manager) => manager.query('LOCK TABLE outbox_p1 IN SHARE UPDATE EXCLUSIVE MODE'));
    expect(await drop()).toBe(true);
    await vacuum.commit();
  });

  it.each([
    ['the partition', `SELECT 'LOCK TABLE outbox_p0 IN SHARE UPDATE EXCLUSIVE MODE' AS lock`],
    // No table that can be locked by name.
    [
      'its long values',
      `SELECT 'SELECT FROM ' || reltoastrelid::regclass AS lock FROM pg_class WHERE relname = 'outbox_p0'`,
    ],
  ])('stays while somebody is at %s alone, as autovacuum is, and nobody waits for that', async (_where, statement) => {
    await append();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    const [{ lock }] = await dataSource.query<[{ lock: string }]>(statement);
    const vacuum = await slowly((manager) => manager.query(lock));
    const waited = await waitsDuring(async () => {
      const [dropped] = await Promise.all([drop(), append(), append()]);
      expect(dropped).toBe(false);
    });
    expect(waited).toBe(false);
    await vacuum.commit();
    expect(await drop()).toBe(true);
  });

  it('goes though what somebody has read of it is remembered for a serializable transaction', async () => {
    await append();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    // For as long as one is open that overlapped.
    const other = await slowly((manager) => manager.query('SELECT FROM outbox_cluster'), 'SERIALIZABLE');
    await dataSource.transaction('SERIALIZABLE', (manager) => manager.query('SELECT FROM outbox'));
    expect(await drop()).toBe(true);
    await other.commit();
  });

  it('is let go of where whoever has locked the table says nothing more', async () => {
    await append();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    let isLocked = false;
    const dropping = connections.inTransaction(
      (query) =>
        dropSettledPartition(async (statement, values) => {
          // Waits behind the lock, and whoever has it for this.
          if (isLocked) await append();
          isLocked = statement.startsWith('LOCK');
          return query(statement, values);
        }),
      [],
    );
    await expect(dropping).rejects.toThrow();
    expect(await drop()).toBe(true);
  });

  it('is looked at by one process at a time', async () => {
    await append();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    const others: boolean[] = [];
    const dropped = await connections.inTransaction(
      (query) =>
        dropSettledPartition(async (statement, values) => {
          if (statement.includes('pg_inherits')) others.push(await drop());
          return query(statement, values);
        }),
      [],
    );
    expect({ others, dropped }).toEqual({ others: [false], dropped: true });
  });

  it('is read before the table is locked, and not once more while everybody waits', async () => {
    for (let n = 0; n < 100; n += 1) await append();
    await goTo(PARTITION_IDS);
    await append();
    await settle();
    const read: Record<string, number> = {};
    const dropped = await connections.inTransaction(
      (query) =>
        dropSettledPartition(async (statement, values) => {
          const [of] = await query<{ rows: number }>(
            `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS rows FROM pg_stat_xact_user_tables WHERE relname = 'outbox_p0'`,
          );
          read[statement.split(' ')[0] ?? ''] = of?.rows ?? 0;
          return query(statement, values);
        }),
      [],
    );
    expect(dropped).toBe(true);
    expect(read).toMatchObject({ LOCK: 100, DROP: 100 });
  });
});

describe('room for ids to come', () => {
  it('is made ahead of them, by several at once', async () => {
    await goTo(5n * PARTITION_IDS);
    await append();
    await Promise.all([create(), create(), create()]);
    expect(await partitions()).toContain('outbox_p12');
  });

  it('is made while autovacuum is at other partitions', async () => {
    await goTo(5n * PARTITION_IDS);
    await append();
    const vacuum = await slowly((manager) => manager.query('LOCK TABLE outbox_p1 IN SHARE UPDATE EXCLUSIVE MODE'));
    expect(await waitsDuring(create)).toBe(false);
    expect(await partitions()).toContain('outbox_p12');
    await vacuum.commit();
  });

  it('is made as if it had been made in place', async () => {
    const [made] = await dataSource.query<{ like: string }[]>(
      `SELECT string_agg(pg_get_indexdef(indexrelid), ';' ORDER BY indisprimary) AS like FROM pg_index
       WHERE indrelid = 'outbox_p3'::regclass`,
    );
    await dataSource.query('DROP TABLE outbox_p3');
    await dataSource.query('CREATE TABLE outbox_p3 PARTITION OF outbox FOR VALUES FROM (300000) TO (400000)');
    const [inPlace] = await dataSource.query<{ like: string }[]>(
      `SELECT string_agg(pg_get_indexdef(indexrelid), ';' ORDER BY indisprimary) AS like FROM pg_index
       WHERE indrelid = 'outbox_p3'::regclass`,
    );
    expect(made).toEqual(inPlace);
  });

  it('is made, and events are written, while a transaction that wrote is open for long', async () => {
    await append();
    const slow = await slowly(append);
    await goTo(5n * PARTITION_IDS);
    await settle();
    await eventually(async () => {
      const [row] = await dataSource.query<{ old: boolean }[]>(
        `SELECT bool_or(xact_start < clock_timestamp() - interval '2 seconds') AS old FROM pg_stat_activity
         WHERE datname = current_database() AND state = 'idle in transaction'`,
      );
      return row?.old === true;
    });
    // Whatever would wait for the other, or have others wait behind it, is told at once.
    const waited = await waitsDuring(async () => {
      await append();
      await create();
      expect(await drop()).toBe(false);
      for (let n = 0; n < 50; n += 1) await append();
    });
    expect(waited).toBe(false);
    expect(await partitions()).toContain('outbox_p12');
    await slow.commit();
  });
});

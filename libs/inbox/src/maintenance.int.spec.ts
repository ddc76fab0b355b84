import { duties } from '@castiron/contracts';
import { createLogger, createMetrics, type Metrics } from '@castiron/observability';
import { eventually, freshDatabase } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { inboxMigrations } from './index.js';
import { Maintenance } from './maintenance.js';
import { createPartitions } from './partitions.js';
import { idOf } from './testing/inbox.rig.js';

const HOUR_MS = 3_600_000;
const WEEK_MS = 7 * 24 * HOUR_MS;
/** What a topic keeps may be parked on its last day, and replayed on the last day of parking. */
const BROUGHT_AGAIN_MS = Number(duties.of('p1').config['retention.ms']) + 30 * 24 * HOUR_MS;
const now = Date.now();

let dataSource: DataSource;
beforeEach(async () => {
  dataSource = await freshDatabase(inboxMigrations);
});
afterEach(() => dataSource.destroy());

async function remember(madeAt: number, receivedAt = madeAt): Promise<void> {
  await dataSource.query(`INSERT INTO inbox (event_id, consumer, topic, received_at) VALUES ($1, 'spec', 't', $2)`, [
    idOf(madeAt),
    new Date(receivedAt),
  ]);
}

const known = async (): Promise<string[]> =>
  (await dataSource.query<{ id: string }[]>('SELECT event_id AS id FROM inbox')).map(({ id }) => id).sort();

async function park(reason: string, days: number): Promise<void> {
  await dataSource.query(
    `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, reason, sealed, parked_at)
     VALUES ('spec', 't', $1, '', true, $1, '', now() - $2::int * interval '1 day')`,
    [reason, days],
  );
}

const maintenanceOf = (metrics?: Metrics) =>
  new Maintenance({ name: 'spec', dataSource, logger: createLogger('spec', 'silent'), metrics });

async function lookAfter(): Promise<void> {
  const maintenance = maintenanceOf();
  await maintenance.start();
  await maintenance.stop();
}

/** What is done by itself in the given time after a start. */
async function lookAfterFor(milliseconds: number, onStart: () => Promise<void>, metrics?: Metrics): Promise<void> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const maintenance = maintenanceOf(metrics);
    await maintenance.start();
    await onStart();
    vi.advanceTimersByTime(milliseconds);
    await maintenance.stop();
  } finally {
    vi.useRealTimers();
  }
}

describe('the ids that an inbox remembers', () => {
  it('are kept for as long as a topic and then a parked message may bring them again, and go in time', async () => {
    const [last, gone] = [now - BROUGHT_AGAIN_MS + HOUR_MS, now - BROUGHT_AGAIN_MS - 3 * WEEK_MS];
    for (const at of [last, gone]) {
      await dataSource.transaction((manager) => createPartitions(manager.query.bind(manager), new Date(at)));
      await remember(at);
    }
    await lookAfter();
    expect(await known()).toEqual([idOf(last)]);
  });

  it('are kept where the clock of this process is months ahead', async () => {
    await remember(now);
    vi.useFakeTimers({ toFake: ['Date'], now: now + 20 * WEEK_MS });
    try {
      await lookAfter();
    } finally {
      vi.useRealTimers();
    }
    expect(await known()).toEqual([idOf(now)]);
  });

  it('are kept as long where their senders were far ahead of time, with a week for clocks', async () => {
    const [ahead, further] = [now + 20 * WEEK_MS, now + 21 * WEEK_MS];
    await remember(ahead, now - BROUGHT_AGAIN_MS - WEEK_MS + HOUR_MS);
    await remember(further, now - BROUGHT_AGAIN_MS - WEEK_MS - HOUR_MS);
    await lookAfter();
    expect(await known()).toEqual([idOf(ahead)]);
  });

  it('keep nobody out of the inbox while those of no week are deleted, however long that takes', async () => {
    const gone = now - BROUGHT_AGAIN_MS - 3 * WEEK_MS;
    await dataSource.transaction((manager) => createPartitions(manager.query.bind(manager), new Date(gone)));
    await remember(gone);
    await remember(now + 20 * WEEK_MS, gone);
    const week = `inbox_w${Math.floor(gone / WEEK_MS)}`;
    const weeks = () => dataSource.query<unknown[]>('SELECT FROM pg_class WHERE relname = $1', [week]);
    expect(await weeks()).toHaveLength(1);
    const held = 'pg_advisory_xact_lock(1)';
    await dataSource.query(
      `CREATE FUNCTION wait_to_be_deleted() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN PERFORM ${held}; RETURN OLD; END $$`,
    );
    await dataSource.query(
      'CREATE TRIGGER waits BEFORE DELETE ON inbox_rest FOR EACH ROW EXECUTE FUNCTION wait_to_be_deleted()',
    );
    let looking = Promise.resolve();
    await dataSource.transaction(async (manager) => {
      await manager.query(`SELECT ${held}`);
      looking = lookAfter();
      await eventually(async () => expect(await weeks()).toEqual([]));
    });
    await looking;
    expect(await known()).toEqual([]);
  });
});

/** How PostgreSQL goes about the first statement with this in it. */
async function planOf(asked: readonly (readonly [string, ...unknown[]])[], part: string): Promise<string> {
  const [text, parameters] = asked.find(([statement]) => statement.includes(part)) ?? [''];
  return JSON.stringify(await dataSource.query<object[]>(`EXPLAIN ${text}`, parameters as unknown[]));
}

it('of many that are parked for too long no statement ends more than it has time for, and each is recorded', async () => {
  await dataSource.query(
    `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, reason, sealed, parked_at)
     SELECT 'spec', 't', n::text, n::text, true, 'of-no-use', '',
       now() - CASE WHEN n <= 2500 THEN 31 ELSE 29 END * interval '1 day'
     FROM generate_series(1, 3000) AS n`,
  );
  const query = vi.spyOn(dataSource, 'query');
  await lookAfter();
  expect(
    await dataSource.query(
      `SELECT state, p.ended_reason AS ended, a.actor, count(*)::int AS n
       FROM parked_messages p LEFT JOIN parked_actions a ON a.message = p.id GROUP BY 1, 2, 3 ORDER BY 1`,
    ),
  ).toEqual([
    { state: 'discarded', ended: 'expired', actor: 'inbox', n: 2_500 },
    { state: 'parked', ended: null, actor: null, n: 500 },
  ]);
  expect(query.mock.calls.filter(([text]) => text.includes('UPDATE parked_messages'))).toHaveLength(3);
});

it('each hour what was parked for too long is ended, and weeks are made for the ids to come', async () => {
  const weeks = async (): Promise<string[]> => {
    const rows = await dataSource.query<{ name: string }[]>(
      `SELECT relname AS name FROM pg_class WHERE relname ~ '^inbox_w[0-9]+$' ORDER BY 1`,
    );
    return rows.map(({ name }) => name);
  };
  let last = '';
  await lookAfterFor(HOUR_MS, async () => {
    last = (await weeks()).at(-1) ?? '';
    await park('of-no-use', 31);
    await dataSource.query(`DROP TABLE ${last}`);
  });
  expect(await dataSource.query('SELECT state, ended_reason AS ended FROM parked_messages')).toEqual([
    { state: 'discarded', ended: 'expired' },
  ]);
  expect(await weeks()).toContain(last);
});

it('every 15 seconds what waits is counted', async () => {
  const metrics = createMetrics('spec');
  await park('solved-by-now', 1);
  await lookAfterFor(
    15_000,
    async () => {
      await dataSource.query('DELETE FROM parked_messages');
      await park('of-no-use', 16);
    },
    metrics,
  );
  const exposed = await metrics.registry.metrics();
  expect(exposed).toMatch(/castiron_inbox_parked\{reason="of-no-use",service="spec"\} 1/);
  expect(exposed).toMatch(/castiron_inbox_parked_half_time\{[^}]*\} 1/);
  expect(exposed).not.toContain('solved-by-now');
});

it('what waits is counted without reading the messages', async () => {
  await dataSource.query(
    `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, reason, sealed)
     SELECT 'spec', 't', n::text, n::text, true, 'of-no-use', decode(repeat('ab', 500), 'hex')
     FROM generate_series(1, 5000) AS n`,
  );
  await dataSource.query('VACUUM ANALYZE parked_messages');
  const query = vi.spyOn(dataSource, 'query');
  await lookAfter();
  expect(await planOf(query.mock.calls, 'GROUP BY reason')).toContain(
    'Index Only Scan using parked_messages_by_reason',
  );
});

it('ids of no week are forgotten in slices, without reading those that stay', async () => {
  await dataSource.query(
    `INSERT INTO inbox (event_id, consumer, topic, received_at)
     SELECT overlay(gen_random_uuid()::text PLACING 'ffff' FROM 1)::uuid, 'spec', 't',
       now() - CASE WHEN n <= 25000 THEN 100 ELSE 1 END * interval '1 day'
     FROM generate_series(1, 80000) AS n`,
  );
  await dataSource.query('VACUUM ANALYZE inbox_rest');
  const query = vi.spyOn(dataSource, 'query');
  await lookAfter();
  expect(await known()).toHaveLength(55_000);
  expect(query.mock.calls.filter(([text]) => text.includes('DELETE FROM inbox_rest'))).toHaveLength(3);
  expect(await planOf(query.mock.calls, 'DELETE FROM inbox_rest')).toContain('inbox_rest_by_age');
});

import { eventually, freshDatabase } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Connections } from './connections.js';
import { outboxMigrations } from './index.js';
import type { Place } from './lane-cursors.js';
import { PAGE_ROWS, readPage } from './read-page.js';
import { addressOf } from './testing/address-of.js';

let dataSource: DataSource;
let connections: Connections;

beforeEach(async () => {
  dataSource = await freshDatabase(outboxMigrations);
  connections = new Connections(addressOf(dataSource), () => undefined);
});
afterEach(async () => {
  await connections.end();
  await dataSource.destroy();
});

const write = (lane: number, count: number) =>
  dataSource.query(
    `INSERT INTO outbox (xid, lane, event_id, aggregatetype, aggregateid, type, payload, headers)
     SELECT pg_current_xact_id(), $1, gen_random_uuid(), 'topic', 'key', 'type', '{}', '{}' FROM generate_series(1, $2::int)`,
    [lane, count],
  );

async function now(): Promise<{ snapshot: string; newest: string }> {
  const [row] = await dataSource.query<{ snapshot: string; newest: string }[]>(
    `SELECT pg_current_snapshot()::text AS snapshot, last_value AS newest FROM outbox_id`,
  );
  return row ?? expect.unreachable('no snapshot');
}

/** Reads for one lane from a place. @returns the ids found, where it stands then, and where it stands if it cannot send them */
async function read(lane: number, place: Place) {
  const { incarnation } = await connections.query({ text: 'SELECT' }, []);
  const encoder = { encode: () => ({ topic: 'topic', bytes: 1 }) };
  const page = await readPage(connections, encoder, [{ lane, incarnation, read: place }]);
  return { ids: page.rows.map(({ id }) => id), after: page.after(place.settled), before: page.before(place.settled) };
}

/** Rows of the outbox that were read so far: what connections have told, which they do when they end. */
async function reads(): Promise<number> {
  await connections.end();
  connections = new Connections(addressOf(dataSource), () => undefined);
  let last = -1;
  await eventually(async () => {
    const before = last;
    const [row] = await dataSource.query<{ n: number }[]>(
      `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int AS n FROM pg_stat_user_tables WHERE relname ~ '^outbox_p'`,
    );
    last = row?.n ?? 0;
    return last === before;
  });
  return last;
}

const settledAt = (snapshot: string): Place => ({ settled: snapshot, reading: snapshot, lastId: '0', upTo: '0' });

it('a lane without news passes what is new to others, and does not go through it again', async () => {
  const { snapshot } = await now();
  await write(1, 20_000);
  const first = await read(0, settledAt(snapshot));
  expect(first.ids).toEqual([]);
  const before = await reads();
  expect((await read(0, first.after)).ids).toEqual([]);
  expect((await reads()) - before).toBeLessThan(100);
});

it('a lane that cannot send goes through no event that came since, each time that it tries', async () => {
  const { snapshot } = await now();
  await write(0, 3);
  const failed = (await read(0, settledAt(snapshot))).before;
  await write(0, 20_000);
  const before = await reads();
  expect((await read(0, failed)).ids).toEqual(['1', '2', '3']);
  expect((await reads()) - before).toBeLessThan(100);
});

it('a lane that was taken over goes through so many ids at once, and finds what lies far apart', async () => {
  const { snapshot: settled } = await now();
  await write(0, 3);
  await write(1, 45_000);
  await write(0, 2);
  const { snapshot: reading, newest } = await now();
  await write(1, 1_000);
  let place: Place = { settled, reading, lastId: '0', upTo: newest };
  const found: string[][] = [];
  while (place.settled !== place.reading) {
    const { ids, after } = await read(0, place);
    found.push(ids);
    place = after;
  }
  expect(found).toEqual([['1', '2', '3'], [], ['45004', '45005']]);
  expect(place.settled).toBe(reading);
});

it('a page is read without reading what comes after it', async () => {
  const { snapshot: settled } = await now();
  await write(0, 30_000);
  const { snapshot: reading, newest } = await now();
  const before = await reads();
  expect((await read(0, { settled, reading, lastId: '0', upTo: newest })).ids).toHaveLength(PAGE_ROWS);
  expect((await reads()) - before).toBeLessThan(PAGE_ROWS + 100);
});

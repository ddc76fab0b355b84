import { freshDatabase } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inboxMigrations } from './index.js';
import { createPartitions } from './partitions.js';
import { idOf } from './testing/inbox.rig.js';

const WEEK_MS = 7 * 86_400_000;
const now = Date.now();

let dataSource: DataSource;
beforeAll(async () => {
  dataSource = await freshDatabase(inboxMigrations);
});
afterAll(() => dataSource.destroy());

const weeksFromNow = (weeks: number): Date => new Date(now + weeks * WEEK_MS);
const create = (at: Date) => dataSource.transaction((manager) => createPartitions(manager.query.bind(manager), at));

/** @returns whether the id is new */
async function remember(id: string): Promise<boolean> {
  const rows = await dataSource.query<unknown[]>(
    `INSERT INTO inbox (event_id, consumer, topic) VALUES ($1, 'spec', 'replies.p1.v1') ON CONFLICT DO NOTHING RETURNING 1`,
    [id],
  );
  return rows.length > 0;
}

const placeOf = async (id: string): Promise<string | undefined> => {
  const [row] = await dataSource.query<{ place: string }[]>(
    `SELECT tableoid::regclass::text AS place FROM inbox WHERE event_id = $1`,
    [id],
  );
  return row?.place;
};

describe('the ids of handled messages', () => {
  it('lie in a table per week in a new database too, however old a recipient may choose them', async () => {
    for (const days of [-37, 1]) {
      const id = idOf(now + days * 86_400_000);
      expect(await remember(id)).toBe(true);
      expect(await placeOf(id)).toMatch(/^inbox_w\d+$/);
    }
  });

  it('lie in a table per week, also those whose sender was far ahead of time', async () => {
    const ahead = idOf(weeksFromNow(8).getTime());
    expect(await remember(ahead)).toBe(true);
    expect(await placeOf(ahead)).toBe('inbox_rest');
    await create(weeksFromNow(3));
    expect(await placeOf(ahead)).toMatch(/^inbox_w\d+$/);
    expect(await remember(ahead)).toBe(false);
  });

  it('can be made room for by several processes at once', async () => {
    await Promise.all([create(weeksFromNow(5)), create(weeksFromNow(5)), create(weeksFromNow(6))]);
    const ahead = idOf(weeksFromNow(12).getTime());
    await remember(ahead);
    expect(await placeOf(ahead)).not.toBe('inbox_rest');
  });
});

import { randomUUID } from 'node:crypto';
import { freshDatabase } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { migrations } from '../database/migrations.js';
import { prepareBatch } from './prepare-batch.js';

const LANE = 3;

let database: DataSource;
beforeAll(async () => {
  database = await freshDatabase(migrations);
});
afterAll(() => database?.destroy());

/** Rows of shares that are gone, which preparing answers. */
const pend = (count: number): Promise<unknown> =>
  database.query(
    `INSERT INTO pending_releases (lane, share, cause) SELECT $1, gen_random_uuid(), 'profile-changed' FROM generate_series(1, $2)`,
    [LANE, count],
  );

describe('a lane', () => {
  it('gives what was put off its turn, however much came since', async () => {
    const share = randomUUID();
    const [put]: { id: string }[] = await database.query(
      `INSERT INTO pending_releases (lane, share, cause, not_before) VALUES ($1, $2, 'profile-changed', clock_timestamp()) RETURNING id`,
      [LANE, share],
    );
    await pend(1_000);
    const keys = { keysOf: () => Promise.resolve(new Map()) };
    const { answered, full } = await prepareBatch(database, LANE, keys, () => undefined);
    expect(full).toBe(true);
    expect(answered).toContain(put!.id);
  });
});

import { createLogger } from '@castiron/observability';
import { eventually, freshDatabaseUrl } from '@castiron/testing';
import { DataSource, EntitySchema } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource } from './index.js';

interface Thing {
  id: number;
}
const Thing = new EntitySchema<Thing>({ name: 'things', columns: { id: { type: 'int', primary: true } } });

let source: DataSource;
beforeAll(async () => {
  const { options } = createDataSource(await freshDatabaseUrl(), [], createLogger('svc', 'silent'));
  source = await new DataSource({ ...options, entities: [Thing] }).initialize();
  await source.query('CREATE TABLE things AS SELECT generate_series(1, 3) AS id');
});
afterAll(() => source.destroy());

describe('the database of a service', () => {
  it.each([undefined, null])('does not take a condition that is %s for none at all', async (id) => {
    const things = source.getRepository(Thing);
    await expect(things.find({ where: { id: id as unknown as number } })).rejects.toThrow(/where/i);
    await expect(things.findOneBy({ id: id as unknown as number })).rejects.toThrow(/where/i);
    expect(await things.count()).toBe(3);
  });

  it('ends what hangs, be it a statement or a transaction that was forgotten', async () => {
    for (const setting of ['statement_timeout', 'idle_in_transaction_session_timeout']) {
      const [row] = await source.query<{ ms: number }[]>(
        `SELECT setting::int AS ms FROM pg_settings WHERE name = '${setting}'`,
      );
      expect(row?.ms, setting).toBeGreaterThan(0);
      expect(row?.ms, setting).toBeLessThanOrEqual(30_000);
    }
  });

  it('goes on after its idle connections were cut', async () => {
    await Promise.all(Array.from({ length: 5 }, () => source.query('SELECT pg_sleep(0.05)')));
    await source.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    await eventually(async () => expect(await source.query('SELECT 1 AS n')).toEqual([{ n: 1 }]));
  });
});

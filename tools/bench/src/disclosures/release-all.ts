import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { CHANGED, sealedOf, type InventedCustomer } from './invented-customers.js';

export interface Released {
  readonly records: number;
  readonly ms: number;
  /** Of the service alone. */
  readonly serviceUs: number;
  /** Of the service, PostgreSQL, and the keys' service. */
  readonly allUs: number;
}

/** CPU time so far, in microseconds. */
export interface Uses {
  readonly service: () => number;
  readonly others: () => number;
}

const LOOK_MS = 50;
const WITHIN_MS = 300_000;

/** Changes a profile of each, in one transaction, so that a record of each share waits. @returns how many */
export async function changeProfiles(client: pg.Client, customers: readonly InventedCustomer[]): Promise<number> {
  const sealed = customers.map((one) => sealedOf(CHANGED, one, one.version + 1));
  const { rowCount } = await client.query(
    `WITH changed AS (
       UPDATE customers AS c SET version = c.version + 1, epoch = c.epoch + 1,
         attributes = c.attributes || jsonb_build_object($3::text, jsonb_build_object('version', c.version + 1, 'sealed', n.sealed))
       FROM unnest($1::uuid[], $2::text[]) AS n (id, sealed) WHERE c.id = n.id RETURNING c.id)
     INSERT INTO pending_releases (lane, share, cause)
     SELECT lane, id, 'profile-changed' FROM shares WHERE customer = ANY (SELECT id FROM changed) ORDER BY random()`,
    [customers.map(({ id }) => id), sealed, CHANGED],
  );
  for (const one of customers) one.version += 1;
  return rowCount ?? 0;
}

async function left(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ left: number }>(
    `SELECT ((SELECT count(*) FROM pending_releases) + (SELECT count(*) FROM sending_records))::int AS left`,
  );
  return rows[0]?.left ?? 0;
}

/** Cheaper than to count. */
async function isSomethingLeft(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ left: boolean }>(
    `SELECT EXISTS (SELECT FROM pending_releases) OR EXISTS (SELECT FROM sending_records) AS left`,
  );
  return rows[0]?.left !== false;
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + WITHIN_MS;
  for (;;) {
    const seen = await look();
    if (seen !== undefined) return seen;
    if (performance.now() > deadline) throw new Error('the records were not settled in time');
    await pause(LOOK_MS);
  }
}

/**
 * Has a record of each share of these customers released. What is timed begins when the first of them are settled, so that
 * waking up is no part of it, and ends when all are.
 */
export async function releaseAll(
  client: pg.Client,
  customers: readonly InventedCustomer[],
  uses: Uses,
): Promise<Released> {
  const all = await changeProfiles(client, customers);
  const records = await until(async () => {
    const still = await left(client);
    return still < all ? still : undefined;
  });
  const [from, service, others] = [performance.now(), uses.service(), uses.others()];
  await until(async () => ((await isSomethingLeft(client)) ? undefined : true));
  const serviceUs = uses.service() - service;
  return { records, ms: performance.now() - from, serviceUs, allUs: serviceUs + uses.others() - others };
}

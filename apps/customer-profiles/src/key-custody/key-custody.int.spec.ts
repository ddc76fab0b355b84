import { randomUUID } from 'node:crypto';
import { newKey } from '@castiron/encryption';
import { createLogger } from '@castiron/observability';
import { freshDatabase } from '@castiron/testing';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keyStoreMigrations, migrations } from '../migrations.js';
import { KeyCustody } from './key-custody.js';
import { sweepUnusedKeys } from './sweep-unused-keys/sweep-unused-keys.use-case.js';

let keyStore: DataSource;
let database: DataSource;
const keyEncryptionKey = newKey();
const lines: string[] = [];
const logger = createLogger('spec', 'info', { write: (line) => void lines.push(line) });
const custodyUnder = (key: Buffer): KeyCustody => new KeyCustody(keyStore, key, logger);

beforeAll(async () => {
  [keyStore, database] = await Promise.all([freshDatabase(keyStoreMigrations), freshDatabase(migrations)]);
});
afterAll(() => Promise.all([keyStore.destroy(), database.destroy()]));

const age = (customers: readonly string[]) =>
  keyStore.query(
    `UPDATE customer_keys SET made_at = made_at - interval '61 minutes' WHERE customer = ANY($1::uuid[])`,
    [customers],
  );

const damage = (customers: readonly string[]) =>
  keyStore.query(
    `UPDATE customer_keys SET wrapped_data_key = set_byte(wrapped_data_key, 20, 255 - get_byte(wrapped_data_key, 20))
     WHERE customer = ANY($1::uuid[])`,
    [customers],
  );

const register = (customer: string) =>
  database.query(
    `INSERT INTO customers (id, version, door, purposes, origin, statement_version, registered_at)
     VALUES ($1, 1, 'subscription', '{mailing,notices}', 'registered', 1, now())`,
    [customer],
  );

describe('the key store', () => {
  it('gives back the keys it made, two for each customer, and none for the unknown', async () => {
    const custody = custodyUnder(keyEncryptionKey);
    const customers = [randomUUID(), randomUUID()];
    const made = await custody.create(customers);
    expect(await custody.keysOf([...customers, randomUUID()])).toEqual(made);
    const all = [...made.values()].flatMap(({ dataKey, ledgerKey }) => [
      dataKey.toString('hex'),
      ledgerKey.toString('hex'),
    ]);
    expect(new Set(all).size).toBe(4);
  });

  it('holds no key in the clear, and opens none under another key-encryption key', async () => {
    const custody = custodyUnder(keyEncryptionKey);
    const customer = randomUUID();
    const { dataKey } = (await custody.create([customer])).get(customer) ?? {};
    const rows: { wrapped_data_key: Buffer }[] = await keyStore.query(
      `SELECT wrapped_data_key FROM customer_keys WHERE customer = $1`,
      [customer],
    );
    expect(rows[0]?.wrapped_data_key.includes(dataKey as Buffer)).toBe(false);
    expect(await custodyUnder(newKey()).keysOf([customer])).toEqual(new Map());
  });

  it("does not open one customer's key as another's", async () => {
    const custody = custodyUnder(keyEncryptionKey);
    const [one, other] = [randomUUID(), randomUUID()];
    await custody.create([one, other]);
    await keyStore.query(
      `UPDATE customer_keys SET wrapped_data_key = (SELECT wrapped_data_key FROM customer_keys WHERE customer = $1) WHERE customer = $2`,
      [one, other],
    );
    expect([...(await custody.keysOf([one, other])).keys()]).toEqual([one]);
  });

  it('complains of keys that it cannot open, not of those it has not, and names no customer', async () => {
    const custody = custodyUnder(keyEncryptionKey);
    const [whole, damaged] = [randomUUID(), randomUUID()];
    await custody.create([whole, damaged]);
    lines.length = 0;
    await custody.keysOf([whole, randomUUID()]);
    expect(lines).toEqual([]);
    await damage([damaged]);
    await custody.keysOf([whole, damaged]);
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ level: 'error', count: 1 }]);
    expect(lines.join('')).not.toContain(damaged);
    expect(await custody.keysOf([damaged])).toEqual(new Map());
  });
});

describe('a key-encryption key', () => {
  let custody: KeyCustody;
  beforeEach(async () => {
    await keyStore.query('DELETE FROM customer_keys');
    custody = custodyUnder(keyEncryptionKey);
  });

  it('does for an empty key store', () => expect(custodyUnder(newKey()).refuseWrongKey()).resolves.toBeUndefined());

  it('is refused where it opens nothing of what the key store holds', async () => {
    await custody.create([randomUUID(), randomUUID()]);
    await expect(custodyUnder(newKey()).refuseWrongKey()).rejects.toThrow(
      /KEY_ENCRYPTION_KEY_FILE .* of 2 tried it opens none/,
    );
  });

  it('is the right one though a row is damaged, whichever it is', async () => {
    const customers = Array.from({ length: 3 }, () => randomUUID());
    await custody.create(customers);
    for (const customer of customers) {
      await damage([customer]);
      await custody.refuseWrongKey();
      await keyStore.query('DELETE FROM customer_keys WHERE customer = $1', [customer]);
      await custody.create([customer]);
    }
  });
});

describe('the sweep', () => {
  it('deletes keys that have no customer after an hour, and no others', async () => {
    const custody = custodyUnder(keyEncryptionKey);
    const [used, unused, young] = [randomUUID(), randomUUID(), randomUUID()];
    await custody.create([used, unused, young]);
    await register(used);
    await age([used, unused]);
    expect(await sweepUnusedKeys(keyStore, database)).toBe(1);
    expect(new Set((await custody.keysOf([used, unused, young])).keys())).toEqual(new Set([used, young]));
  });

  it('never takes a key that was in use once, though its customer is gone (a restored backup)', async () => {
    const custody = custodyUnder(keyEncryptionKey);
    const customer = randomUUID();
    await custody.create([customer]);
    await register(customer);
    await age([customer]);
    await sweepUnusedKeys(keyStore, database);
    await database.query(`DELETE FROM customers WHERE id = $1`, [customer]);
    expect(await sweepUnusedKeys(keyStore, database)).toBe(0);
    expect((await custody.keysOf([customer])).size).toBe(1);
  });
});

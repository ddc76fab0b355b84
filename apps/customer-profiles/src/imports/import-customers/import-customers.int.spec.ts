import { newKey } from '@castiron/encryption';
import { createLogger } from '@castiron/observability';
import { appendToOutbox, outboxMigrations } from '@castiron/outbox';
import { freshDatabase } from '@castiron/testing';
import { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyStoreMigrations, migrations } from '../../migrations.js';
import { KeyCustody } from '../../key-custody/key-custody.js';
import { loadStatements } from '../../statements/load-statements/load-statements.use-case.js';
import { parseStatement } from '../../statements/load-statements/statement-file.js';
import { ImportCustomersUseCase } from './import-customers.use-case.js';
import { publications } from '../../publications.js';

let keyStore: DataSource;
let database: DataSource;
let imports: ImportCustomersUseCase;

beforeAll(async () => {
  [keyStore, database] = await Promise.all([
    freshDatabase(keyStoreMigrations),
    freshDatabase([...migrations, ...outboxMigrations]),
  ]);
  const transactions = new Transactions(database, { append: appendToOutbox, wake: () => {} }, publications);
  await loadStatements(transactions, [parseStatement(1, 'Effective from: 2026-01-01')]);
  const custody = new KeyCustody(keyStore, newKey(), createLogger('spec', 'silent'));
  imports = new ImportCustomersUseCase(database, transactions, custody, newKey());
});
afterAll(() => Promise.all([keyStore.destroy(), database.destroy()]));

const row = (key: string) => ({
  key,
  attributes: {
    companyName: `Company ${key}`,
    servicesUsed: 'dedicated server',
    registeredAddress: '1 Main Street\nSpringfield',
  },
});
const rowsOf = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => row(`${prefix}-${at}`));
async function count(source: DataSource, table: string): Promise<number> {
  const rows: { count: number }[] = await source.query(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? 0;
}
const outcomesOf = (answers: readonly { outcome: string }[]) => new Set(answers.map(({ outcome }) => outcome));

describe('an import of customers', () => {
  it('creates 500 customers with keys, values and events in one call, and none when repeated', async () => {
    const before = await Promise.all([
      count(database, 'customers'),
      count(database, 'outbox'),
      count(keyStore, 'customer_keys'),
    ]);
    const first = await imports.import('service-order', rowsOf('bulk', 500));
    expect(outcomesOf(first)).toEqual(new Set(['created']));
    expect(
      await Promise.all([count(database, 'customers'), count(database, 'outbox'), count(keyStore, 'customer_keys')]),
    ).toEqual(before.map((each) => each + 500));
    const again = await imports.import('service-order', rowsOf('bulk', 500));
    expect(outcomesOf(again)).toEqual(new Set(['existing']));
    expect(again.map(({ customer }) => customer)).toEqual(first.map(({ customer }) => customer));
    expect(await count(database, 'customers')).toBe((before[0] ?? 0) + 500);
  });

  it('keeps good rows beside bad ones, and answers in the order of the rows', async () => {
    const answers = await imports.import('service-order', [
      row('good-1'),
      { key: 'bad', attributes: {} },
      7,
      row('good-2'),
      row('good-1'),
    ]);
    expect(answers.map(({ key, outcome }) => [key, outcome])).toEqual([
      ['good-1', 'created'],
      ['bad', 'refused'],
      [null, 'refused'],
      ['good-2', 'created'],
      ['good-1', 'existing'],
    ]);
    expect(answers[4]?.customer).toBe(answers[0]?.customer);
    expect(answers[1]?.reason).toContain('companyName');
  });

  it('knows a key per door', async () => {
    const attributes = { email: 'someone@example.com' };
    const [order] = await imports.import('service-order', [row('same')]);
    const [subscription] = await imports.import('subscription', [{ key: 'same', attributes }]);
    expect([order?.outcome, subscription?.outcome]).toEqual(['created', 'created']);
    expect(order?.customer).not.toBe(subscription?.customer);
  });

  it('creates each key once though many import it at once', async () => {
    const before = await count(database, 'customers');
    const rows = rowsOf('race', 100);
    const answers = await Promise.all(
      Array.from({ length: 6 }, (_, at) => imports.import('service-order', at % 2 === 0 ? rows : [...rows].reverse())),
    );
    expect(await count(database, 'customers')).toBe(before + 100);
    expect(answers.flat().filter(({ outcome }) => outcome === 'created')).toHaveLength(100);
    const byKey = new Map(answers.flat().map(({ key, customer }) => [`${key}/${customer}`, customer]));
    expect(byKey.size).toBe(100);
  });

  it('leaves neither values nor customer numbers in the clear', async () => {
    await imports.import('service-order', [row('canary-number')]);
    const everything = JSON.stringify(
      await Promise.all(
        ['import_keys', 'customers', 'attribute_values', 'outbox'].map((table) =>
          database.query(`SELECT t::text FROM ${table} t`),
        ),
      ),
    );
    for (const mark of ['canary-number', 'Springfield']) {
      expect(everything).not.toContain(mark);
      // bytea shows as hexadecimal.
      expect(everything).not.toContain(Buffer.from(mark).toString('hex'));
    }
  });
});

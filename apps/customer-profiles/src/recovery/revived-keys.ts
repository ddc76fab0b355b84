import type { DataSource } from 'typeorm';

const PAGE = 10_000;
const NIL = '00000000-0000-0000-0000-000000000000';

interface Stores {
  readonly database: DataSource;
  readonly keyStore: DataSource;
}

/** Erased customers whose keys were destroyed, and are there: the key store was restored from a backup. Page by page. */
export async function* revivedKeys({ database, keyStore }: Stores): AsyncGenerator<readonly string[]> {
  for (let after = NIL; ;) {
    const erased: { customer: string }[] = await database.query(
      'SELECT customer FROM erasures WHERE customer > $1 AND keys_destroyed_at IS NOT NULL ORDER BY customer LIMIT $2',
      [after, PAGE],
    );
    if (erased.length === 0) return;
    after = erased.at(-1)?.customer ?? after;
    const found: { customer: string }[] = await keyStore.query(
      'SELECT customer FROM customer_keys WHERE customer = ANY($1::uuid[])',
      [erased.map(({ customer }) => customer)],
    );
    if (found.length > 0) yield found.map(({ customer }) => customer);
  }
}

/** Customers who have no keys: those were made after the key store's backup, and nothing brings them back. */
export async function customersWithoutKeys({ database, keyStore }: Stores): Promise<number> {
  let without = 0;
  for (let after = NIL; ;) {
    const page: { id: string }[] = await database.query('SELECT id FROM customers WHERE id > $1 ORDER BY id LIMIT $2', [
      after,
      PAGE,
    ]);
    if (page.length === 0) return without;
    after = page.at(-1)?.id ?? after;
    const [found]: { keys: string }[] = await keyStore.query(
      'SELECT count(*) AS keys FROM customer_keys WHERE customer = ANY($1::uuid[])',
      [page.map(({ id }) => id)],
    );
    without += page.length - Number(found?.keys);
  }
}

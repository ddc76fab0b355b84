import type { DataSource } from 'typeorm';

/** A transaction never lasts this long, so a key this old without a customer will never get one. */
const GRACE = '1 hour';
const PAGE = 1000;

/**
 * Deletes keys whose customer was never committed (a crash between the two databases). Keys found in use are marked, and
 * never looked at again: a customers' database restored from a backup must not cost the keys of those it forgot.
 * @returns how many keys were deleted
 */
export async function sweepUnusedKeys(keyStore: DataSource, database: DataSource): Promise<number> {
  let swept = 0;
  for (;;) {
    const unchecked: { customer: string }[] = await keyStore.query(
      `SELECT customer FROM customer_keys WHERE NOT in_use AND made_at < now() - $1::interval ORDER BY made_at LIMIT $2`,
      [GRACE, PAGE],
    );
    if (unchecked.length === 0) return swept;
    const checked = unchecked.map(({ customer }) => customer);
    const known: { id: string }[] = await database.query(`SELECT id FROM customers WHERE id = ANY($1::uuid[])`, [
      checked,
    ]);
    const used = new Set(known.map(({ id }) => id));
    await keyStore.query(`UPDATE customer_keys SET in_use = true WHERE customer = ANY($1::uuid[])`, [[...used]]);
    const unused = checked.filter((customer) => !used.has(customer));
    await keyStore.query(`DELETE FROM customer_keys WHERE customer = ANY($1::uuid[]) AND NOT in_use`, [unused]);
    swept += unused.length;
  }
}

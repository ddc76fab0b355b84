import type { DataSource } from 'typeorm';
import type { KeyCustody } from '../../key-custody/key-custody.js';

const PAGE = 500;

/**
 * Destroys the keys of erased customers: those of a copy that nobody found open nothing any more. The key store is another
 * database: what a crash leaves undone is done by the next call.
 * @returns of how many
 */
export async function destroyKeysOfErased(database: DataSource, custody: KeyCustody): Promise<number> {
  const rows: { customer: string }[] = await database.query(
    'SELECT customer FROM erasures WHERE keys_destroyed_at IS NULL ORDER BY customer LIMIT $1',
    [PAGE],
  );
  if (rows.length === 0) return 0;
  const erased = rows.map(({ customer }) => customer);
  await custody.destroy(erased);
  await database.query(
    'UPDATE erasures SET keys_destroyed_at = clock_timestamp() WHERE customer = ANY($1::uuid[]) AND keys_destroyed_at IS NULL',
    [erased],
  );
  return erased.length;
}

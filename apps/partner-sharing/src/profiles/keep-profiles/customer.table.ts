import type { DataOf, profileChanged } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';

export type Profile = DataOf<typeof profileChanged>;

export type StoredAs = 'new' | 'newer' | 'old';

/** Stores profiles, one per customer, unless a newer one is here or the customer was deleted: versions never go back. */
export async function storeProfiles(
  manager: EntityManager,
  profiles: readonly Profile[],
): Promise<ReadonlyMap<string, StoredAs>> {
  const rows: { id: string; inserted: boolean }[] = await manager.query(
    `INSERT INTO customers AS known (id, version, door, purposes, origin, statement_version, registered_at, attributes)
     SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::jsonb[], $5::text[], $6::int[], $7::timestamptz[], $8::jsonb[]) AS told (id)
       WHERE NOT EXISTS (SELECT FROM erased_customers AS erased WHERE erased.id = told.id)
     ON CONFLICT (id) DO UPDATE SET version = excluded.version, door = excluded.door, purposes = excluded.purposes,
       statement_version = excluded.statement_version, attributes = excluded.attributes, epoch = known.epoch + 1
       WHERE known.version < excluded.version AND NOT known.deleted
     RETURNING id, (xmax = 0) AS inserted`,
    [
      profiles.map(({ customer }) => customer),
      profiles.map(({ version }) => version),
      profiles.map(({ door }) => door),
      profiles.map(({ purposes }) => JSON.stringify(purposes)),
      profiles.map(({ origin }) => origin),
      profiles.map(({ statementVersion }) => statementVersion),
      profiles.map(({ registeredAt }) => registeredAt),
      profiles.map(({ attributes }) => JSON.stringify(attributes)),
    ],
  );
  const stored = new Map<string, StoredAs>(profiles.map(({ customer }) => [customer, 'old']));
  for (const { id, inserted } of rows) stored.set(id, inserted ? 'new' : 'newer');
  return stored;
}

/** Those who were erased before their profile came are not let in when it does. */
export async function rememberErased(manager: EntityManager, customers: readonly string[]): Promise<void> {
  await manager.query('INSERT INTO erased_customers (id) SELECT unnest($1::uuid[]) ON CONFLICT DO NOTHING', [
    customers,
  ]);
}

/** Those of these customers that were erased. */
export async function erasedAmong(manager: EntityManager, customers: readonly string[]): Promise<ReadonlySet<string>> {
  const rows: { id: string }[] = await manager.query('SELECT id FROM erased_customers WHERE id = ANY($1::uuid[])', [
    customers,
  ]);
  return new Set(rows.map(({ id }) => id));
}

/** Keeps the id and that it was deleted, and nothing else. */
export async function deleteProfiles(manager: EntityManager, customers: readonly string[]): Promise<void> {
  await manager.query(
    `UPDATE customers SET deleted = true, attributes = '{}', epoch = epoch + 1 WHERE id = ANY($1::uuid[]) AND NOT deleted`,
    [customers],
  );
}

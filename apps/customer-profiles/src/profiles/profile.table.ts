import type { AttributeName } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';
import type { SealedProfile, SealedValue } from './profile.js';

interface Row {
  readonly id: string;
  readonly version: number;
  readonly door: SealedProfile['door'];
  readonly purposes: SealedProfile['purposes'];
  readonly origin: SealedProfile['origin'];
  readonly statement_version: number;
  readonly registered_at: Date;
  readonly name: AttributeName | null;
  readonly given_at_version: number;
  readonly sealed: Buffer;
}

/** One statement, so that the values belong to the version even while somebody changes them. */
export async function readProfile(manager: EntityManager, customer: string): Promise<SealedProfile | undefined> {
  const rows: Row[] = await manager.query(
    `SELECT c.id, c.version, c.door, c.purposes, c.origin, c.statement_version, c.registered_at,
            v.name, v.given_at_version, v.sealed
       FROM customers c LEFT JOIN attribute_values v ON v.customer = c.id
      WHERE c.id = $1 ORDER BY v.name`,
    [customer],
  );
  const [first] = rows;
  if (first === undefined) return undefined;
  const attributes = new Map<AttributeName, SealedValue>();
  for (const { name, given_at_version: version, sealed } of rows)
    if (name !== null) attributes.set(name, { version, sealed });
  return {
    customer: first.id,
    version: first.version,
    door: first.door,
    purposes: first.purposes,
    origin: first.origin,
    statementVersion: first.statement_version,
    registeredAt: first.registered_at,
    attributes,
  };
}

/** Writes any number of new profiles in two statements. */
export async function insertProfiles(manager: EntityManager, profiles: readonly SealedProfile[]): Promise<void> {
  if (profiles.length === 0) return;
  await manager.query(
    // Purposes travel as JSON, since an array of arrays of different lengths is none.
    `INSERT INTO customers (id, version, door, purposes, origin, statement_version, registered_at)
     SELECT id, version, door, ARRAY(SELECT jsonb_array_elements_text(purposes)), origin, statement_version, registered_at
       FROM unnest($1::uuid[], $2::int[], $3::text[], $4::jsonb[], $5::text[], $6::int[], $7::timestamptz[])
         AS new (id, version, door, purposes, origin, statement_version, registered_at)`,
    [
      profiles.map((profile) => profile.customer),
      profiles.map((profile) => profile.version),
      profiles.map((profile) => profile.door),
      profiles.map((profile) => JSON.stringify(profile.purposes)),
      profiles.map((profile) => profile.origin),
      profiles.map((profile) => profile.statementVersion),
      profiles.map((profile) => profile.registeredAt),
    ],
  );
  await writeValues(
    manager,
    profiles.flatMap((profile) =>
      [...profile.attributes].map(([name, value]) => ({ customer: profile.customer, name, ...value })),
    ),
  );
}

interface ValueRow extends SealedValue {
  readonly customer: string;
  readonly name: AttributeName;
}

/** Puts another state in the place of one, whatever their versions. The caller holds the profile's outbox key. */
export async function restoreProfile(
  manager: EntityManager,
  { customer, version, attributes }: SealedProfile,
): Promise<void> {
  await manager.query('UPDATE customers SET version = $2 WHERE id = $1', [customer, version]);
  await manager.query('DELETE FROM attribute_values WHERE customer = $1', [customer]);
  await writeValues(
    manager,
    [...attributes].map(([name, value]) => ({ customer, name, ...value })),
  );
}

async function writeValues(manager: EntityManager, values: readonly ValueRow[]): Promise<void> {
  if (values.length === 0) return;
  await manager.query(
    `INSERT INTO attribute_values (customer, name, given_at_version, sealed)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::bytea[])
     ON CONFLICT (customer, name) DO UPDATE SET given_at_version = excluded.given_at_version, sealed = excluded.sealed`,
    [
      values.map((value) => value.customer),
      values.map((value) => value.name),
      values.map((value) => value.version),
      values.map((value) => value.sealed),
    ],
  );
}

/**
 * Replaces what differs between two states of one profile.
 * @throws Error where the row has another version than `from`: whoever publishes under the customer's key holds
 *   its lock, so that would be a writer who does not.
 */
export async function replaceProfile(manager: EntityManager, from: SealedProfile, to: SealedProfile): Promise<void> {
  const [, changed]: [unknown, number] = await manager.query(
    `UPDATE customers SET version = $3 WHERE id = $1 AND version = $2`,
    [from.customer, from.version, to.version],
  );
  if (changed !== 1) throw new Error('a profile was changed without its lock');
  const gone = [...from.attributes.keys()].filter((name) => !to.attributes.has(name));
  if (gone.length > 0) {
    await manager.query(`DELETE FROM attribute_values WHERE customer = $1 AND name = ANY($2::text[])`, [
      from.customer,
      gone,
    ]);
  }
  const fresh = [...to.attributes].filter(([, { version }]) => version === to.version);
  await writeValues(
    manager,
    fresh.map(([name, value]) => ({ customer: to.customer, name, ...value })),
  );
}

/** With all values. @returns whether there was such a customer */
export async function deleteCustomer(manager: EntityManager, customer: string): Promise<boolean> {
  const [, deleted]: [unknown, number] = await manager.query('DELETE FROM customers WHERE id = $1', [customer]);
  return deleted > 0;
}

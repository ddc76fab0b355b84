import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import type { DoorName } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';

/** A customer number as it is stored: some companies use e-mail addresses or names as numbers, so never in the clear. */
export type KeyDigest = Buffer;

/** Digests customer numbers under a key of this service's own, so that a stolen table cannot be searched by guessing. */
export function digestWith(serviceKey: Buffer): (door: DoorName, key: string) => KeyDigest {
  const indexKey = createSecretKey(Buffer.from(hkdfSync('sha256', serviceKey, '', 'castiron/import-keys', 32)));
  return (door, key) => createHmac('sha256', indexKey).update(`${door}\n${key}`).digest();
}

interface Row {
  readonly digest: Buffer;
  readonly customer: string;
}

const byDigest = (rows: readonly Row[]) =>
  new Map(rows.map(({ digest, customer }) => [digest.toString('hex'), customer]));

/** The customers that these digests (hexadecimal in the answer) belong to already. */
export async function findImported(
  manager: EntityManager,
  door: DoorName,
  digests: readonly KeyDigest[],
): Promise<ReadonlyMap<string, string>> {
  const rows: Row[] = await manager.query(
    `SELECT digest, customer FROM import_keys WHERE door = $1 AND digest = ANY($2::bytea[])`,
    [door, digests],
  );
  return byDigest(rows);
}

/** Takes the digests that nobody took yet, and answers those. Sorted, so that two imports at once cannot lock each other out. */
export async function takeKeys(
  manager: EntityManager,
  door: DoorName,
  rows: readonly Row[],
): Promise<ReadonlyMap<string, string>> {
  const sorted = [...rows].sort((one, other) => one.digest.compare(other.digest));
  const taken: Row[] = await manager.query(
    `INSERT INTO import_keys (door, digest, customer)
     SELECT $1, digest, customer FROM unnest($2::bytea[], $3::uuid[]) AS new (digest, customer)
     ON CONFLICT (door, digest) DO NOTHING RETURNING digest, customer`,
    [door, sorted.map(({ digest }) => digest), sorted.map(({ customer }) => customer)],
  );
  return byDigest(taken);
}

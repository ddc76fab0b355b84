import { createSecretKey, hkdfSync, randomBytes } from 'node:crypto';

/** Shorter salts could be guessed together with a short value. */
export const SALT_BYTES = 32;

/** Gives the salt (32 bytes) of one field of one entry. */
export type Salts = (entry: string, field: string) => Buffer;

/** The field name of the commitment over the subject id; no attribute may be called so. */
export const SUBJECT_FIELD = 'subject';

/**
 * Salts that a customer's ledger key (32 bytes) gives again at any time: HKDF-SHA-256 (RFC 5869) without a salt of its
 * own, info `<entry>|<field>`. When the key is destroyed, no commitment can be opened by us any more.
 */
export function derivedSalts(ledgerKey: Buffer): Salts {
  if (ledgerKey.length !== 32) throw new RangeError('a ledger key has 32 bytes');
  // Once for all fields, and as a key object: given a buffer, node 24 takes twice as long.
  const key = createSecretKey(ledgerKey);
  return (entry, field) => Buffer.from(hkdfSync('sha256', key, '', `${entry}|${field}`, SALT_BYTES));
}

/** Fresh salts for when the key is away or destroyed: known to nobody but the record that carries them. */
export function randomSalts(): Salts {
  return () => randomBytes(SALT_BYTES);
}

import { createHmac, createSecretKey } from 'node:crypto';
import { canonicalJson } from './canonical.js';

/** What an attribute that must be kept and not used stands for in a commitment; no string can be mistaken for it. */
export const heldValue = (held: 'disputed') => ({ held });

/** HMAC-SHA-256 over the value as RFC 8785 JSON, keyed by the salt; base64url. Without the salt it says nothing. */
export function commit(salt: Buffer, value: unknown): string {
  // Handed over as a key object: given a buffer, node 24 takes five times as long.
  return createHmac('sha256', createSecretKey(salt)).update(canonicalJson(value)).digest('base64url');
}

import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';

/** Bytes of every key: AES-256. */
export const KEY_BYTES = 32;
const NONCE_BYTES = 12;
/** Said at every call: node's AES-GCM would otherwise take a tag of 4 bytes for good. */
const TAG_BYTES = 16;

/** A new random key. */
export function newKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/**
 * AES-256-GCM (NIST SP 800-38D) with a random nonce: `nonce (12) | ciphertext | tag (16)`.
 * `aad` is not in the result: who opens it must say the same, so a value can't be moved to another place.
 */
export function seal(key: Buffer, plain: Buffer | string, aad: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  // Handed over as a key object: given a buffer, node 24 takes three times as long.
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(aad));
  const text = cipher.update(typeof plain === 'string' ? Buffer.from(plain) : plain);
  return Buffer.concat([nonce, text, cipher.final(), cipher.getAuthTag()]);
}

/** @throws Error where key, AAD or a single byte is not the one it was sealed with. */
export function open(key: Buffer, sealed: Buffer, aad: string): Buffer {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new Error('the sealed value is too short to be one');
  const tagAt = sealed.length - TAG_BYTES;
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(aad));
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, tagAt));
  return Buffer.concat([plain, decipher.final()]);
}

/** Binds a sealed value to its customer, attribute and the profile's version at which it was given. */
export function attributeAad(customer: string, attribute: string, version: number): string {
  return `castiron/attribute/${customer}/${attribute}/${version}`;
}

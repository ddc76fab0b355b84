import { KEY_BYTES, open, seal } from './sealing.js';

/** Seals a key under the key-encryption key. `aad` names whose key it is, and which. */
export function wrapKey(keyEncryptionKey: Buffer, key: Buffer, aad: string): Buffer {
  if (key.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`);
  return seal(keyEncryptionKey, key, aad);
}

/** @throws Error where the wrapped key was tampered with, or belongs to somebody else. */
export function unwrapKey(keyEncryptionKey: Buffer, wrapped: Buffer, aad: string): Buffer {
  const key = open(keyEncryptionKey, wrapped, aad);
  if (key.length !== KEY_BYTES) throw new RangeError(`a key has ${KEY_BYTES} bytes`);
  return key;
}

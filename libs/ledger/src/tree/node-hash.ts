import { hash } from 'node:crypto';

/** Length of a SHA-256 hash. */
export const HASH_BYTES = 32;

/** Root of the tree without leaves: SHA-256 of nothing (RFC 9162 section 2.1.1). */
export const EMPTY_ROOT: Buffer = hash('sha256', '', 'buffer');

const node = Buffer.alloc(1 + 2 * HASH_BYTES);
node[0] = 0x01;

/** SHA-256 of 0x01, the left hash and the right one (RFC 9162 section 2.1.1), 32 bytes. */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return hash('sha256', node, 'buffer');
}

/** The largest power of two below `width` (2 or more): where RFC 9162 splits a tree. */
export function splitOf(width: number): number {
  let k = 1;
  while (k * 2 < width) k *= 2;
  return k;
}

import { hash } from 'node:crypto';

/** Keeps a leaf's hash apart from a node's: RFC 9162 section 2.1.1. */
const LEAF_PREFIX = Buffer.of(0x00);

/** SHA-256 of 0x00 and the leaf's bytes (RFC 9162 section 2.1.1), 32 bytes. */
export function leafHash(leaf: Buffer): Buffer {
  return hash('sha256', Buffer.concat([LEAF_PREFIX, leaf]), 'buffer');
}

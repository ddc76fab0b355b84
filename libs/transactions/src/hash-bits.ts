import { hash } from 'node:crypto';

const BITS_OF_A_DIGIT = 4;

/**
 * The first bits of the SHA-256 of a text, as a number without a sign: for lanes and advisory locks. Two texts may share
 * theirs. Stable: rows are kept by them.
 */
export function hashBits(text: string, bits: 8 | 32 | 64): bigint {
  // As text: bytes would lie outside the heap, and having those collected costs more than the hash.
  return BigInt(`0x${hash('sha256', text, 'hex').slice(0, bits / BITS_OF_A_DIGIT)}`);
}

/** The advisory lock of a name. A prefix keeps one kind of them apart from the others of a service. */
export function advisoryLock(name: string): bigint {
  return BigInt.asIntN(64, hashBits(name, 64));
}

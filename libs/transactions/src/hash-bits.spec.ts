import { describe, expect, it } from 'vitest';
import { advisoryLock, hashBits } from './hash-bits.js';

// By `printf abc | sha256sum`: ba7816bf8f01cfea41414140de5dae2223b00361a396177a9cb410ff61f20015.
describe('the first bits of a hash', () => {
  it.each([
    [8, 0xban],
    [32, 0xba7816bfn],
    [64, 0xba7816bf8f01cfean],
  ] as const)('are the first %i of its SHA-256', (bits, number) => {
    expect(hashBits('abc', bits)).toBe(number);
  });

  it('are a lock with a sign, as PostgreSQL takes it', () => {
    expect(advisoryLock('abc')).toBe(0xba7816bf8f01cfean - 2n ** 64n);
  });
});

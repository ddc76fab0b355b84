import { newKey } from '@castiron/encryption';
import { describe, expect, it } from 'vitest';
import { parkedSeal } from './parked-seal.js';

describe('the seal of parked messages', () => {
  it('gives the same hash for the same key of a message, which nobody can try without the key of the service', () => {
    const key = newKey();
    const hash = parkedSeal(key, 'spec').hash('a guess');
    expect(parkedSeal(Buffer.from(key), 'spec').hash('a guess')).toBe(hash);
    const others = [parkedSeal(newKey(), 'spec'), parkedSeal(key, 'another')].map((seal) => seal.hash('a guess'));
    expect(new Set([hash, parkedSeal(key, 'spec').hash('another'), ...others]).size).toBe(4);
  });

  it('opens what it sealed, and nobody else does', () => {
    const key = newKey();
    const seal = parkedSeal(key, 'spec');
    const sealed = seal.seal(Buffer.from('a message'));
    expect(seal.open(sealed).toString()).toBe('a message');
    for (const other of [parkedSeal(newKey(), 'spec'), parkedSeal(key, 'another')])
      expect(() => other.open(sealed)).toThrow();
  });
});

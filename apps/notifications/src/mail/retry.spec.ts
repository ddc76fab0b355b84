import { describe, expect, it } from 'vitest';
import { nextTryAfter } from './retry.js';

const createdAt = new Date('2026-11-23T09:00:00.000Z');

describe('a mail that could not leave', () => {
  it('is tried again after longer and longer pauses', () => {
    const pauses = [1, 2, 3, 9, 20, 5000].map((attempts) => nextTryAfter({ attempts, createdAt }, createdAt));
    expect(pauses).toEqual([2, 4, 8, 512, 900, 900]);
  });

  it('is given up after four days', () => {
    expect(nextTryAfter({ attempts: 3, createdAt }, new Date('2026-11-27T09:00:01.000Z'))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { nextTryAfter, nextTryInDoubt } from './retry.js';

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

describe('a mail that the mail server has and gave no answer to', () => {
  it('goes once more where it is a notice, and late', () => {
    expect(nextTryInDoubt({ kind: 'welcome', isInDoubt: false })).toBe(3_600);
    expect(nextTryInDoubt({ kind: 'welcome', isInDoubt: true })).toBeUndefined();
  });

  it('does not go again where it is a mailing', () => {
    expect(nextTryInDoubt({ kind: 'mailing', isInDoubt: false })).toBeUndefined();
  });
});

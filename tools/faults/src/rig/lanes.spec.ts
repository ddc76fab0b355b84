import { describe, expect, it } from 'vitest';
import { isTakenOver, type Lease } from './lanes.js';

const lease = (lane: number, token: number, until: string): Lease => ({ lane, token: String(token), until });

describe('what a silent owner had is taken over', () => {
  const before = [lease(0, 4, '12:00'), lease(1, 7, '12:01'), lease(2, 2, '-infinity')];

  it('once each lane has another owner, or one that renews', () => {
    expect(isTakenOver(before, [lease(0, 5, '12:09'), lease(1, 8, '12:09'), lease(2, 2, '-infinity')])).toBe(true);
    expect(isTakenOver(before, [lease(0, 5, '12:09'), lease(1, 7, '12:05'), lease(2, 2, '-infinity')])).toBe(true);
  });

  it('not while a lease just runs out', () => {
    expect(isTakenOver(before, [lease(0, 5, '12:09'), lease(1, 7, '12:01'), lease(2, 2, '-infinity')])).toBe(false);
  });

  it('not where nobody was silent, nor by whoever takes what was let go of', () => {
    expect(isTakenOver(before, [lease(0, 4, '12:05'), lease(1, 7, '12:05'), lease(2, 3, '12:05')])).toBe(false);
  });
});

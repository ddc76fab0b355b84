import { describe, expect, it } from 'vitest';
import { successionIn, type Lease } from './lanes.js';

const lease = (lane: number, token: number, until: string): Lease => ({ lane, token: String(token), until });

describe('what a silent owner had is taken over', () => {
  const before = [lease(0, 4, '12:00'), lease(1, 7, '12:01'), lease(2, 2, '-infinity')];

  it('once each lane has another owner, or one that renews', () => {
    expect(successionIn(before, [lease(0, 5, '12:09'), lease(1, 8, '12:09'), lease(2, 2, '-infinity')])).toBe('taken');
    expect(successionIn(before, [lease(0, 5, '12:09'), lease(1, 7, '12:05'), lease(2, 2, '-infinity')])).toBe('taken');
  });

  it('not while a lease just runs out', () => {
    expect(successionIn(before, [lease(0, 5, '12:09'), lease(1, 7, '12:01'), lease(2, 2, '-infinity')])).toBe('waits');
  });

  it('not where nobody was silent, nor by whoever takes what was let go of', () => {
    expect(successionIn(before, [lease(0, 4, '12:05'), lease(1, 7, '12:05'), lease(2, 3, '12:05')])).toBe('none');
  });
});

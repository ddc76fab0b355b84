import { describe, expect, it } from 'vitest';
import { heldUpIn, lastBytesOf, leaksIn, type Act, type Sent } from './leaks.check.js';

const grant = (invoked: number): Act => ({ customer: 'a', kind: 'grant', invoked });
const revoke = (invoked: number, answered?: number, end?: number): Act => ({
  customer: 'a',
  kind: 'revoke',
  invoked,
  ...(answered !== undefined && { answered, ends: new Map([[0, end ?? 100]]) }),
});
const record = (offset: number, at: number, carries = true): Sent => ({
  customer: 'a',
  partition: 0,
  offset,
  at,
  carries,
  kept: 'v',
});

describe('a revocation that was answered', () => {
  const acts = [grant(0), revoke(10, 20, 5)];

  it('is kept where nothing that carries its purpose comes later', () => {
    expect(leaksIn(acts, [record(0, 5), record(4, 20), record(5, 21, false)])).toEqual([]);
  });

  it('is broken by what comes later by the clock, or stands behind the end of then', () => {
    expect(leaksIn(acts, [record(4, 21)])).toHaveLength(1);
    expect(leaksIn(acts, [record(5, 20)])).toHaveLength(1);
    expect(leaksIn(acts, [{ ...record(5, 20), partition: 1 }]), 'of another partition').toEqual([]);
    expect(leaksIn(acts, [{ ...record(6, 30), customer: 'b' }]), 'of another customer').toEqual([]);
  });

  it('holds until the purpose is granted anew', () => {
    const again = [...acts, grant(40), revoke(50, 60, 9)];
    expect(leaksIn(again, [record(7, 40), record(8, 60)])).toEqual([]);
    expect(leaksIn(again, [record(7, 39)])).toHaveLength(1);
    expect(leaksIn(again, [record(8, 61)])).toHaveLength(1);
  });

  it('promises nothing where nobody was answered', () => {
    expect(leaksIn([grant(0), revoke(10)], [record(5, 30)])).toEqual([]);
  });

  it('tells how long its purpose went on', () => {
    expect(lastBytesOf(acts, [record(0, 5), record(1, 14), record(2, 12)])).toEqual([4]);
    expect(lastBytesOf(acts, [record(0, 5)])).toEqual([0]);
  });
});

it('the purpose that stays has to come to its last value', () => {
  const last = new Map([['a', 'new']]);
  expect(
    heldUpIn(last, [
      { ...record(0, 1), kept: 'old' },
      { ...record(1, 2), kept: 'new' },
    ]),
  ).toEqual([]);
  expect(
    heldUpIn(last, [
      { ...record(0, 1), kept: 'new' },
      { ...record(1, 2), kept: 'old' },
    ]),
  ).toHaveLength(1);
  expect(heldUpIn(last, [])).toHaveLength(1);
});

import { describe, expect, it } from 'vitest';
import type { Objection } from '../objections/objection.table.js';
import { recoverObjection } from './reapply-objections.js';

const of = { customer: 'c', recipient: 'northern', purpose: 'service-delivery' } as const;
const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 23, 10, minute));
const here = (state: Objection['state'], version: number, minute: number): Objection => ({
  ...of,
  state,
  version,
  changedAt: at(minute),
});
const lost = (state: Objection['state'], version: number, minute: number) => ({
  ...of,
  state,
  version,
  at: at(minute).toISOString(),
});

describe('an objection of which a lost life of the database told something (P13)', () => {
  it('stands again', () => {
    expect(recoverObjection(undefined, [lost('standing', 1, 5)])).toEqual(here('standing', 2, 5));
    expect(recoverObjection(here('withdrawn', 2, 0), [lost('standing', 3, 5)])).toEqual(here('standing', 4, 5));
  });

  it('that was withdrawn stands on', () => {
    expect(recoverObjection(here('standing', 1, 0), [lost('withdrawn', 2, 5)])).toEqual(here('standing', 3, 0));
  });

  it('that was withdrawn since the restore stays so, above what was told', () => {
    expect(recoverObjection(here('withdrawn', 2, 9), [lost('standing', 2, 5)])).toEqual(here('withdrawn', 3, 9));
    expect(recoverObjection(here('withdrawn', 3, 9), [lost('standing', 2, 5)])).toBeUndefined();
  });
});

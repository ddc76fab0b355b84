import { describe, expect, it } from 'vitest';
import type { Permission } from '../permissions/permission.table.js';
import { recoverPermission, type LostPermission } from './lost-permission.decision.js';

const of = { customer: 'c', recipient: 'northern', purpose: 'recommendation' } as const;
const at = (minute: number): Date => new Date(Date.UTC(2026, 10, 23, 10, minute));

const here = (state: Permission['state'], version: number, minute: number): Permission => ({
  ...of,
  state,
  version,
  how: 'portal',
  givenAt: at(minute),
  statementVersion: 1,
  changedAt: at(minute),
});
const lost = (state: Permission['state'], version: number, minute: number): LostPermission => ({
  ...of,
  state,
  version,
  statementVersion: 1,
  at: at(minute).toISOString(),
});

describe('a permission of which a lost life of the database told something (P8)', () => {
  it('is revoked where it was, above all versions that were told', () => {
    expect(recoverPermission(here('granted', 1, 0), [lost('revoked', 2, 5)])).toEqual({
      kind: 'revoke',
      version: 3,
      at: at(5),
    });
    expect(recoverPermission(undefined, [lost('granted', 1, 1), lost('revoked', 2, 5)])).toMatchObject({
      kind: 'revoke',
      version: 3,
    });
  });

  it('is not given where it was: the evidence is lost', () => {
    expect(recoverPermission(undefined, [lost('granted', 1, 5)])).toEqual({ kind: 'forget' });
    expect(recoverPermission(here('revoked', 2, 0), [lost('granted', 3, 5)])).toMatchObject({
      kind: 'tell',
      version: 4,
    });
    expect(recoverPermission(here('granted', 1, 0), [lost('revoked', 2, 5), lost('granted', 3, 6)])).toMatchObject({
      kind: 'revoke',
      version: 4,
    });
  });

  it('is taken for revoked where a version between is not to be seen any more', () => {
    expect(recoverPermission(here('granted', 1, 0), [lost('granted', 3, 6)])).toMatchObject({ kind: 'revoke' });
    expect(recoverPermission(here('granted', 1, 0), [lost('granted', 2, 6)])).toMatchObject({
      kind: 'tell',
      version: 3,
    });
  });

  it('stands where the customer gave it since the restore, and not on what was given before it was revoked', () => {
    expect(recoverPermission(here('granted', 2, 9), [lost('revoked', 2, 5)])).toMatchObject({
      kind: 'tell',
      version: 3,
    });
    expect(recoverPermission(here('granted', 2, 4), [lost('revoked', 2, 5)])).toMatchObject({
      kind: 'revoke',
      version: 3,
    });
  });

  it('comes to the same when it is recovered once more', () => {
    const once = recoverPermission(here('granted', 1, 0), [lost('revoked', 2, 5)]);
    expect(once).toMatchObject({ kind: 'revoke', version: 3 });
    expect(recoverPermission(here('revoked', 3, 5), [lost('revoked', 2, 5)])).toEqual({ kind: 'nothing' });
  });
});

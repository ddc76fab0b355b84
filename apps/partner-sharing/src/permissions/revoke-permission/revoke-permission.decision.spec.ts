import { describe, expect, it } from 'vitest';
import type { Permission } from '../permission.table.js';
import { decideRevocation } from './revoke-permission.decision.js';

const of = { customer: 'c', recipient: 'northern', purpose: 'recommendation' } as const;
const now = new Date('2026-11-23T10:00:00Z');
const granted: Permission = {
  ...of,
  state: 'granted',
  version: 3,
  how: 'portal',
  givenAt: new Date('2026-11-01T10:00:00Z'),
  statementVersion: 1,
  changedAt: new Date('2026-11-01T10:00:00Z'),
};

describe('revoking a permission (P8)', () => {
  it('keeps the evidence of how it was given and spends a version', () => {
    expect(decideRevocation(granted, of, 2, now)).toEqual({ ...granted, state: 'revoked', version: 4, changedAt: now });
  });

  it('spends no version the second time, and counts from then on', () => {
    const revoked = decideRevocation(granted, of, 2, now);
    const later = new Date(now.getTime() + 60_000);
    expect(decideRevocation(revoked, of, 2, later)).toEqual({ ...revoked, changedAt: later });
    expect(decideRevocation({ ...revoked, changedAt: later }, of, 2, now)).toEqual({ ...revoked, changedAt: later });
  });

  it('is recorded where there never was one, as an objection to cooperation', () => {
    expect(decideRevocation(undefined, of, 2, now)).toMatchObject({
      ...of,
      state: 'revoked',
      version: 1,
      how: null,
      statementVersion: 2,
    });
  });
});

import { describe, expect, it } from 'vitest';
import type { Agreement, Signature } from '../agreement.table.js';
import { decideSigning, type Signer } from './sign-agreement.decision.js';

const now = new Date('2026-06-01T00:00:00Z');
const signature = (by: string): Signature => ({ name: 'A Signer', role: 'Director', by, at: now.toISOString() });

const agreement = (change: Partial<Agreement> = {}): Agreement => ({
  id: '0d9a41f7-35d5-4f5c-9a4f-0f7a5e0d6f01',
  recipient: 'northern-hosting',
  state: 'drafted',
  purposes: [],
  highestTier: 'confidential',
  from: new Date('2026-01-01T00:00:00Z'),
  until: new Date('2027-01-01T00:00:00Z'),
  daysToDelete: 30,
  epoch: '0',
  signatures: {},
  enteredAt: null,
  terminatedAt: null,
  terminationReason: null,
  ...change,
});

const officer: Signer = { sub: 'officer-1', isPrivacyOfficer: true, isPartner: false };
const partner: Signer = { sub: 'northern-hosting', isPrivacyOfficer: false, isPartner: true };
const FORBIDDEN = { ok: false, refusal: { kind: 'forbidden', field: 'side', promise: 'P8' } };

describe('signing an agreement', () => {
  it('takes both sides, in either order', () => {
    expect(decideSigning(agreement(), 'company', officer, now)).toEqual({ ok: true, value: 'first' });
    expect(decideSigning(agreement(), 'partner', partner, now)).toEqual({ ok: true, value: 'first' });
    const signed = agreement({ signatures: { partner: signature(partner.sub) } });
    expect(decideSigning(signed, 'company', officer, now)).toEqual({ ok: true, value: 'completes' });
  });

  it('changes nothing when a side signs again', () => {
    const signed = agreement({ signatures: { company: signature(officer.sub) } });
    expect(decideSigning(signed, 'company', officer, now)).toEqual({ ok: true, value: 'repeated' });
    expect(decideSigning({ ...signed, state: 'in-force' }, 'company', officer, now)).toEqual({
      ok: true,
      value: 'repeated',
    });
  });

  it('is for each side alone', () => {
    expect(decideSigning(agreement(), 'partner', officer, now)).toMatchObject(FORBIDDEN);
    expect(decideSigning(agreement(), 'company', partner, now)).toMatchObject(FORBIDDEN);
    expect(decideSigning(agreement(), 'partner', { ...partner, sub: 'another' }, now)).toMatchObject(FORBIDDEN);
    const named = { ...officer, sub: 'northern-hosting' };
    expect(decideSigning(agreement(), 'partner', named, now)).toMatchObject(FORBIDDEN);
  });

  it('is not for one who may speak for both', () => {
    const both = { ...partner, isPrivacyOfficer: true };
    const signed = agreement({ signatures: { company: signature(both.sub) } });
    expect(decideSigning(signed, 'partner', both, now)).toMatchObject(FORBIDDEN);
  });

  it('is refused once the agreement has ended, or its term is over', () => {
    expect(decideSigning(agreement({ state: 'terminated' }), 'company', officer, now)).toMatchObject({
      refusal: { kind: 'conflict', code: 'agreement-terminated', allowed: [] },
    });
    expect(decideSigning(agreement({ until: now }), 'company', officer, now)).toMatchObject({
      refusal: { kind: 'conflict', code: 'term-over' },
    });
  });
});

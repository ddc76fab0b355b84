import { describe, expect, it } from 'vitest';
import { decideRevocation } from '../revoke-permission/revoke-permission.decision.js';
import { decideGrant, type GrantFacts } from './grant-permission.decision.js';

const NOW = new Date('2026-11-23T09:00:00Z');
const EVIDENCE = { how: 'portal', givenAt: new Date('2026-11-22T09:00:00Z'), statementVersion: 1 };
const CUSTOMER = '5f0c5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10';
const recipient = {
  slug: 'northern',
  name: 'Northern',
  kind: 'network-member',
  purposes: null,
  provisioned: true,
} as const;
const agreement = { purposes: [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }] };
const facts = (over: Partial<GrantFacts> = {}): GrantFacts => ({
  recipient,
  agreement: agreement as unknown as GrantFacts['agreement'],
  known: undefined,
  newestStatement: 2,
  erased: false,
  ...over,
});
const grant = (over: Partial<GrantFacts> = {}, purpose = 'recommendation', evidence = EVIDENCE) =>
  decideGrant(facts(over), { customer: CUSTOMER, purpose }, evidence, NOW);

const granted = () => {
  const decided = grant();
  if (!decided.ok) throw new Error(decided.refusal.code);
  return decided.value;
};

describe('granting a permission (P8)', () => {
  it('records how and when it was given, and under which statement', () => {
    expect(granted()).toMatchObject({ state: 'granted', version: 1, ...EVIDENCE, changedAt: NOW });
  });

  it('changes nothing when it is the same again, and is a new version when the evidence is another', () => {
    const known = granted();
    expect(grant({ known })).toEqual({ ok: true, value: known });
    expect(grant({ known }, 'recommendation', { ...EVIDENCE, how: 'letter' })).toMatchObject({ value: { version: 2 } });
  });

  it.each([
    ['no-agreement-in-force', { agreement: undefined }, 'recommendation'],
    ['purpose-not-listed', {}, 'mailing'],
    ['unknown-purpose', {}, 'spying'],
    ['customer-erased', { erased: true }, 'recommendation'],
    [
      'not-by-permission',
      { recipient: { ...recipient, kind: 'internal', purposes: [{ purpose: 'notices', attributes: [] }] } },
      'notices',
    ],
  ] as const)('is refused as %s', (code, over, purpose) => {
    expect(grant(over as Partial<GrantFacts>, purpose)).toMatchObject({ ok: false, refusal: { code } });
  });

  it.each([0, -1, 3])('is refused under statement %i where 2 is the newest', (statementVersion) => {
    expect(grant({}, 'recommendation', { ...EVIDENCE, statementVersion })).toMatchObject({
      ok: false,
      refusal: { kind: 'invalid', code: 'unknown-statement', field: 'statementVersion', promise: 'P17' },
    });
  });

  it('is refused once the customer took it back later: an old answer gives nothing anew', () => {
    const known = { ...granted(), state: 'revoked', changedAt: NOW } as const;
    for (const givenAt of [EVIDENCE.givenAt, NOW]) {
      expect(grant({ known }, 'recommendation', { ...EVIDENCE, givenAt })).toMatchObject({
        ok: false,
        refusal: { kind: 'conflict', code: 'given-before-revocation', promise: 'P8' },
      });
    }
    const anew = { ...EVIDENCE, givenAt: new Date(NOW.getTime() + 1) };
    expect(grant({ known }, 'recommendation', anew)).toMatchObject({ ok: true, value: { state: 'granted' } });
  });

  it('is none anew by the same evidence, though a clock that went ahead makes that look newer', () => {
    const ahead = { ...EVIDENCE, givenAt: new Date(NOW.getTime() + 60_000) };
    const known = { ...granted(), ...ahead, state: 'revoked', changedAt: NOW } as const;
    expect(grant({ known }, 'recommendation', ahead)).toMatchObject({ refusal: { code: 'given-before-revocation' } });
  });

  it('is put off while no statement is known here', () => {
    expect(grant({ newestStatement: 0 })).toMatchObject({ ok: false, refusal: { kind: 'unavailable' } });
  });

  it('is refused for a permission that is yet to be given', () => {
    const later = { ...EVIDENCE, givenAt: new Date(NOW.getTime() + 3_600_000) };
    expect(grant({}, 'recommendation', later)).toMatchObject({ ok: false, refusal: { code: 'given-in-the-future' } });
  });
});

describe('revoking a permission', () => {
  const of = { customer: CUSTOMER, recipient: 'northern', purpose: 'recommendation' } as const;

  it('keeps the evidence of what was given', () => {
    expect(decideRevocation(granted(), of, 1, NOW)).toMatchObject({ state: 'revoked', version: 2, how: 'portal' });
  });

  it('is recorded where nothing was ever permitted: it is an objection', () => {
    expect(decideRevocation(undefined, of, 3, NOW)).toMatchObject({
      state: 'revoked',
      version: 1,
      how: null,
      statementVersion: 3,
    });
  });
});

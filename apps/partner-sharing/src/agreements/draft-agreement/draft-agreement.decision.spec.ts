import { describe, expect, it } from 'vitest';
import { decideDraft, type Terms } from './draft-agreement.decision.js';

const now = new Date('2026-06-01T00:00:00Z');

const terms = (change: Partial<Terms> = {}): Terms => ({
  purposes: [{ purpose: 'service-delivery', attributes: ['companyName'], ground: 'permission' }],
  highestTier: 'confidential',
  from: new Date('2026-01-01T00:00:00Z'),
  until: new Date('2027-01-01T00:00:00Z'),
  ...change,
});

const listing = (purpose: string, attributes: string[], ground: 'permission' | 'cooperation' = 'permission'): Terms =>
  terms({ purposes: [{ purpose, attributes, ground }] });

const refusalOf = (kind: Parameters<typeof decideDraft>[0], wanted: Terms) => {
  const decided = decideDraft(kind, wanted, now);
  return decided.ok ? undefined : decided.refusal;
};

const member = { kind: 'network-member' } as const;
const third = { kind: 'third-party' } as const;

describe('the draft of an agreement', () => {
  it('may list what the catalogue lists, and cooperation inside the network', () => {
    expect(refusalOf(third, terms())).toBeUndefined();
    expect(refusalOf(member, listing('service-delivery', ['domainNames'], 'cooperation'))).toBeUndefined();
  });

  it('lists each attribute once', () => {
    const decided = decideDraft(third, listing('security', ['email', 'email']), now);
    expect(decided.ok && decided.value.purposes[0]?.attributes).toEqual(['email']);
  });

  it('may list a purpose once per ground', () => {
    const one = { purpose: 'security', attributes: ['email'] };
    const both = [{ ...one, ground: 'permission' } as const, { ...one, ground: 'cooperation' } as const];
    expect(refusalOf(member, terms({ purposes: both }))).toBeUndefined();
    expect(refusalOf(member, terms({ purposes: [...both, { ...one, ground: 'permission' }] }))).toMatchObject({
      code: 'purpose-listed-twice',
      field: 'terms.purposes.2',
    });
  });

  it.each([
    ['nobody', undefined, terms(), 'no-such-recipient', 'recipient', 'P8'],
    ['a service of the house', { kind: 'internal' }, terms(), 'recipient-internal', 'recipient', 'P8'],
    ['no purpose', third, terms({ purposes: [] }), 'purposes-required', 'terms.purposes', 'P8'],
    ['an unknown purpose', third, listing('resale', ['email']), 'not-in-catalogue', 'terms.purposes.0.purpose', 'P8'],
    [
      'a name every object has',
      third,
      listing('constructor', ['email']),
      'not-in-catalogue',
      'terms.purposes.0.purpose',
      'P8',
    ],
    ['no attribute', third, listing('security', []), 'not-in-catalogue', 'terms.purposes.0.attributes', 'P8'],
    [
      'a needless attribute',
      third,
      listing('security', ['email', 'vatNumber']),
      'not-in-catalogue',
      'terms.purposes.0.attributes.1',
      'P8',
    ],
    [
      'cooperation outside the network',
      third,
      listing('service-delivery', ['email'], 'cooperation'),
      'cooperation-outside-the-network',
      'terms.purposes.0.ground',
      'P13',
    ],
    [
      'mailing as cooperation',
      member,
      listing('mailing', ['email'], 'cooperation'),
      'permission-only',
      'terms.purposes.0.ground',
      'P16',
    ],
    [
      'recommendation as cooperation',
      member,
      listing('recommendation', ['email'], 'cooperation'),
      'permission-only',
      'terms.purposes.0.ground',
      'P2',
    ],
    ['a term without length', third, terms({ until: terms().from }), 'term-without-length', 'terms.until', 'P8'],
    [
      'a term that is no date',
      third,
      terms({ from: new Date(Number.NaN) }),
      'term-without-length',
      'terms.until',
      'P8',
    ],
    ['a term that is over', third, terms({ until: now }), 'term-over', 'terms.until', 'P8'],
  ] as const)('is refused for %s', (_what, recipient, wanted, code, field, promise) => {
    expect(refusalOf(recipient, wanted)).toMatchObject({ kind: 'invalid', code, field, promise });
  });

  it('names an attribute of the catalogue, and repeats nothing else', () => {
    expect(refusalOf(third, listing('security', ['vatNumber']))?.detail).toContain('vatNumber');
    expect(refusalOf(third, listing('security', ['Quince']))?.detail).not.toContain('Quince');
  });
});

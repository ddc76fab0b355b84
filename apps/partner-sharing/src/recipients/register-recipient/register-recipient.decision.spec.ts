import { CALLING_SERVICES } from '@castiron/access';
import { describe, expect, it } from 'vitest';
import { decideRegistration, type Registration } from './register-recipient.decision.js';

const purposes = [{ purpose: 'recommendation', attributes: ['companyName', 'companyName'] }];
const partner: Registration = { slug: 'northern-hosting', name: 'Northern Hosting', kind: 'network-member' };
const internal: Registration = { slug: 'analysis', name: 'Analysis', kind: 'internal', purposes };

const refusalOf = (registration: Registration) => {
  const decided = decideRegistration(registration);
  return decided.ok ? undefined : decided.refusal;
};

describe('the registration of a recipient', () => {
  it('asks purposes of a service of the house, and none of a partner', () => {
    expect(decideRegistration(partner)).toEqual({ ok: true, value: { ...partner, purposes: null } });
    expect(decideRegistration(internal)).toMatchObject({
      value: { purposes: [{ purpose: 'recommendation', attributes: ['companyName'] }] },
    });
  });

  it.each([
    ['a partner with purposes', { ...partner, purposes }, 'purposes-by-agreement', 'purposes'],
    ['a service without purposes', { ...internal, purposes: undefined }, 'purposes-required', 'purposes'],
    ['a service with no purpose', { ...internal, purposes: [] }, 'purposes-required', 'purposes'],
    [
      'an unknown purpose',
      { ...internal, purposes: [{ purpose: 'resale', attributes: ['email'] }] },
      'not-in-catalogue',
      'purposes.0.purpose',
    ],
    [
      'a needless attribute',
      { ...internal, purposes: [{ purpose: 'recommendation', attributes: ['vatNumber'] }] },
      'not-in-catalogue',
      'purposes.0.attributes.0',
    ],
    [
      'a purpose listed twice',
      { ...internal, purposes: [...purposes, ...purposes] },
      'purpose-listed-twice',
      'purposes.1.purpose',
    ],
    ['the name of a service', { ...partner, slug: 'partner-sharing' }, 'slug-reserved', 'slug'],
    [
      'a partner by the name of a recipient of the house',
      { ...partner, slug: 'notifications' },
      'slug-reserved',
      'slug',
    ],
  ] as const)('is refused for %s', (_what, registration, code, field) => {
    expect(refusalOf(registration)).toMatchObject({ kind: 'invalid', code, field, promise: 'P8' });
  });

  it.each(CALLING_SERVICES)('cannot be called %s, since its token would pass for that service', (slug) => {
    for (const registration of [
      { ...partner, slug },
      { ...internal, slug },
    ]) {
      expect(refusalOf(registration)).toMatchObject({ code: 'slug-reserved', field: 'slug' });
    }
  });

  it('lets the house register its own recipient', () => {
    expect(refusalOf({ ...internal, slug: 'notifications' })).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { attributesOf, ATTRIBUTES, compulsoryAttributesOf, DOORS, PURPOSE_NAMES, PURPOSES } from './catalogue.js';

describe('the catalogue (P1)', () => {
  it('asks for exactly company name, services used and registered address to write an invoice', () => {
    expect(PURPOSES.invoicing.compulsory).toEqual(['companyName', 'servicesUsed', 'registeredAddress']);
  });

  it('asks for an e-mail address only where the purpose is mail', () => {
    const asking = PURPOSE_NAMES.filter((purpose) =>
      (PURPOSES[purpose].compulsory as readonly string[]).includes('email'),
    );
    expect(asking).toEqual(['mailing']);
  });

  it('names known attributes only, each once per purpose', () => {
    for (const purpose of PURPOSE_NAMES) {
      const names = attributesOf(purpose);
      expect(new Set(names).size).toBe(names.length);
      for (const name of names) expect(ATTRIBUTES).toHaveProperty(name);
    }
  });

  it('gives each door its own purposes (P12)', () => {
    expect(DOORS['service-order']).toEqual(['invoicing', 'service-delivery', 'security', 'notices']);
    expect(DOORS.subscription).toEqual(['mailing', 'notices']);
    expect(DOORS['job-application']).toEqual(['recruitment', 'notices']);
    expect(compulsoryAttributesOf('subscription')).toEqual(['email']);
  });
});

import { attributesOf, attributesOfDoor, compulsoryAttributesOf, isPurpose, SLUG_PATTERN } from '@castiron/contracts';
import { describe, expect, it } from 'vitest';
import { AGREEMENTS, COMPANIES, PARTNERS } from './sample-data.js';

describe('the sample', () => {
  it('has a dozen companies that may order a service', () => {
    expect(COMPANIES).toHaveLength(12);
    for (const { attributes } of COMPANIES) {
      expect(Object.keys(attributes)).toEqual(expect.arrayContaining([...compulsoryAttributesOf('service-order')]));
      expect([...attributesOfDoor('service-order')]).toEqual(expect.arrayContaining(Object.keys(attributes)));
    }
  });

  it('writes to nobody real', () => {
    for (const { attributes } of COMPANIES) expect(attributes['email']).toMatch(/\.example$/);
  });

  it('permits and agrees only what the catalogue and an agreement know', () => {
    for (const { recipient, purposes } of AGREEMENTS) {
      expect(PARTNERS.map(({ slug }) => slug)).toContain(recipient);
      for (const { purpose, attributes } of purposes) {
        if (!isPurpose(purpose)) throw new Error(`no purpose ${purpose}`);
        expect([...attributesOf(purpose)]).toEqual(expect.arrayContaining([...attributes]));
      }
    }
    const agreed = AGREEMENTS.flatMap(({ recipient, purposes }) =>
      purposes.map(({ purpose }) => `${recipient} ${purpose}`),
    );
    const permits = COMPANIES.flatMap((each) => each.permits);
    expect([...agreed, 'recommendations recommendation']).toEqual(expect.arrayContaining(permits));
  });

  it('has a partner that signed nothing, to see that nothing reaches it', () => {
    const signed = new Set(AGREEMENTS.map(({ recipient }) => recipient));
    expect(PARTNERS.filter(({ slug }) => !signed.has(slug))).toHaveLength(1);
    for (const { slug } of PARTNERS) expect(slug).toMatch(new RegExp(SLUG_PATTERN));
  });
});

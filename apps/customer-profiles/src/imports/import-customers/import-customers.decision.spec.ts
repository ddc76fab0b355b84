import { describe, expect, it } from 'vitest';
import { decideImport } from './import-customers.decision.js';

const now = new Date('2026-11-23T09:00:00.000Z');
const good = {
  key: 'CIK 1',
  attributes: { companyName: 'Example Ltd', servicesUsed: 'server', registeredAddress: '1 Main Street' },
};

const decide = (...rows: unknown[]) => {
  let ids = 0;
  return decideImport({ statementVersion: 1 }, 'service-order', rows, () => `id-${(ids += 1)}`, now);
};

describe('an import', () => {
  it('takes a row as a registration that happened before', () => {
    expect(decide(good).importable).toMatchObject([
      { at: 0, key: 'CIK 1', profile: { customer: 'id-1', origin: 'imported' } },
    ]);
  });

  it.each([
    ['row-not-an-object', null],
    ['row-not-an-object', 'x'],
    ['key-not-usable', { ...good, key: '' }],
    ['key-not-usable', { ...good, key: ' ' }],
    ['key-not-usable', { ...good, key: 7 }],
    ['key-not-usable', { ...good, key: 'a\u0000' }],
    ['key-not-usable', { ...good, key: 'x'.repeat(201) }],
    ['attributes-missing', { key: 'a' }],
    ['attributes-missing', { key: 'a', attributes: [] }],
    ['compulsory-attribute-missing', { key: 'a', attributes: {} }],
    ['attribute-not-asked', { ...good, attributes: { ...good.attributes, curriculumVitae: 'x' } }],
    ['attribute-empty', { ...good, attributes: { ...good.attributes, companyName: '' } }],
  ])('refuses a row (%s) and keeps the rest', (code, bad) => {
    const { importable, refused } = decide(good, bad, good);
    expect(importable.map(({ at }) => at)).toEqual([0, 2]);
    expect(refused).toMatchObject([{ at: 1, refusal: { code } }]);
  });

  it('keeps formula characters as text', () => {
    const [row] = decide({ ...good, attributes: { ...good.attributes, companyName: '=HYPERLINK("x")' } }).importable;
    expect(row?.profile.values.get('companyName')).toBe('=HYPERLINK("x")');
  });
});

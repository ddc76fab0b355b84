import { describe, expect, it } from 'vitest';
import { composeEntry, randomSalts, type DraftAttribute, type EntryDraft } from './index.js';

const ENTRY = '0193566f-8a3c-7cc1-9d3f-0242ac120002';
const draft = (over: Partial<EntryDraft> = {}): EntryDraft => ({
  id: ENTRY,
  kind: 'released',
  at: new Date('2026-11-23T09:00:00Z'),
  recipient: 'northern-hosting',
  recordId: '0193566f-8a3c-7cc1-9d3f-0242ac120003',
  version: 2,
  agreement: null,
  policyVersion: '1',
  subject: '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
  attributes: {},
  ...over,
});
const leafOf = (over: Partial<EntryDraft>) => composeEntry(draft(over), randomSalts()).leaf;
const withAttributes = (attributes: Record<string, DraftAttribute>) => leafOf({ attributes }).attributes;

describe('the order within a leaf', () => {
  it('of attributes is that of UTF-16 code units, in every locale', () => {
    const attributes = { alpha: { purposes: [] }, Zeta: { purposes: [] }, älter: { purposes: [] } };
    expect(withAttributes(attributes).map(({ name }) => name)).toEqual(['Zeta', 'alpha', 'älter']);
  });

  it('of purposes is by purpose and then ground, whatever the draft had', () => {
    const purposes = [
      { purpose: 'security', ground: 'cooperation' },
      { purpose: 'mailing', ground: 'permission' },
      { purpose: 'mailing', ground: 'cooperation' },
    ];
    expect(withAttributes({ email: { purposes } })[0]?.purposes).toEqual([...purposes].reverse());
  });
});

describe('a leaf takes from a draft', () => {
  it('of a purpose its name and ground, and nothing else that came along', () => {
    const purposes = [{ purpose: 'mailing', ground: 'permission', customer: 'c-1' }];
    expect(withAttributes({ email: { purposes } })[0]?.purposes).toEqual([
      { purpose: 'mailing', ground: 'permission' },
    ]);
  });

  it.each([
    ['of without reached', { kind: 'aborted', of: ENTRY }],
    ['reached without of', { kind: 'aborted', reached: 'no' }],
    ['of with another kind', { of: ENTRY }],
    ['reached with another kind', { reached: 'no' }],
    ['a value that is held too', { attributes: { email: { purposes: [], value: 'a', held: 'disputed' } } }],
    ['a value that is no Unicode', { attributes: { email: { purposes: [], value: '\ud800' } } }],
  ] as const)('never %s', (_what, over) => {
    expect(() => leafOf(over)).toThrow();
  });

  it.each([2 ** 53, 1.5, Number.NaN])('no version that a number cannot hold, such as %s', (version) => {
    expect(() => leafOf({ version })).toThrow(RangeError);
  });
});

describe('random salts', () => {
  it('are 32 bytes, and never the same twice', () => {
    const salts = randomSalts();
    expect(salts('a', 'b')).toHaveLength(32);
    expect(salts('a', 'b')).not.toEqual(salts('a', 'b'));
  });
});

import { createHash, createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical.js';
import { MAX_LEAF_BYTES } from './entry.js';
import {
  composeEntry,
  derivedSalts,
  leafHash,
  openingProblem,
  randomSalts,
  type ComposedEntry,
  type EntryDraft,
  type Leaf,
  type OpenableRecord,
} from './index.js';

const KEY = Buffer.alloc(32, 7);
const SUBJECT = '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10';
const ENTRY = '0193566f-8a3c-7cc1-9d3f-0242ac120002';
const permitted = [{ purpose: 'recommendation', ground: 'permission' }];

const draft = (over: Partial<EntryDraft> = {}): EntryDraft => ({
  id: ENTRY,
  kind: 'released',
  at: new Date('2026-11-23T09:00:00Z'),
  recipient: 'northern-hosting',
  recordId: '0193566f-8a3c-7cc1-9d3f-0242ac120003',
  version: 2,
  agreement: '0d9a41f7-35d5-4f5c-9a4f-0f7a5e0d6f01',
  policyVersion: '1',
  subject: SUBJECT,
  attributes: {
    servicesUsed: { purposes: permitted, value: 'dedicated server' },
    companyName: { purposes: permitted, value: 'Müller & Söhne "€"' },
    email: { purposes: permitted, held: 'disputed' },
  },
  ...over,
});

function recordOf(entry: ComposedEntry, from: EntryDraft): OpenableRecord {
  const attributes = Object.entries(from.attributes).map(([name, attribute]) => [
    name,
    { ...attribute, opening: entry.openings.attributes[name] },
  ]);
  return {
    subject: from.subject,
    version: Number(from.version),
    entry: from.id,
    opening: entry.openings.subject,
    attributes: Object.fromEntries(attributes) as OpenableRecord['attributes'],
  };
}

describe('a leaf', () => {
  const entry = composeEntry(draft(), derivedSalts(KEY));

  it('is canonical JSON (RFC 8785) with the commitments of the salts that HKDF gives', () => {
    const salt = (field: string) => Buffer.from(hkdfSync('sha256', KEY, '', `${ENTRY}|${field}`, 32));
    const hmac = (field: string, json: string) => createHmac('sha256', salt(field)).update(json).digest('base64url');
    const purposes = '"purposes":[{"ground":"permission","purpose":"recommendation"}]';
    expect(entry.bytes.toString()).toBe(
      '{"agreement":"0d9a41f7-35d5-4f5c-9a4f-0f7a5e0d6f01","at":"2026-11-23T09:00:00.000Z","attributes":[' +
        `{"commitment":"${hmac('companyName', '"Müller & Söhne \\"€\\""')}","name":"companyName",${purposes}},` +
        `{"commitment":"${hmac('email', '{"held":"disputed"}')}","name":"email",${purposes}},` +
        `{"commitment":"${hmac('servicesUsed', '"dedicated server"')}","name":"servicesUsed",${purposes}}],` +
        `"id":"${ENTRY}","kind":"released","policyVersion":"1","recipient":"northern-hosting",` +
        `"recordId":"0193566f-8a3c-7cc1-9d3f-0242ac120003","subject":"${hmac('subject', `"${SUBJECT}"`)}","v":1,"version":"2"}`,
    );
    expect(entry.openings.subject).toBe(salt('subject').toString('base64url'));
  });

  it('hashes as RFC 9162 says: SHA-256 over a zero byte and the leaf', () => {
    // The empty leaf's hash is a known vector of RFC 6962 and RFC 9162 trees.
    expect(leafHash(Buffer.alloc(0)).toString('hex')).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
    const expected = createHash('sha256')
      .update(Buffer.concat([Buffer.of(0), entry.bytes]))
      .digest();
    expect(entry.leafHash).toEqual(expected);
  });

  it('holds neither the subject nor a value nor a salt', () => {
    const text = entry.bytes.toString();
    const secrets = [
      SUBJECT,
      'Müller',
      'dedicated',
      entry.openings.subject,
      ...Object.values(entry.openings.attributes),
    ];
    for (const secret of secrets) expect(text).not.toContain(secret);
  });

  it('writes a 64-bit version without loss, as a string', () => {
    expect(composeEntry(draft({ version: 2n ** 63n - 1n }), randomSalts()).leaf.version).toBe('9223372036854775807');
  });

  it('stays below 64 KiB', () => {
    const policyVersion = (size: number) => ({ policyVersion: 'x'.repeat(size) });
    const frame = composeEntry(draft(policyVersion(0)), randomSalts()).bytes.length;
    expect(composeEntry(draft(policyVersion(MAX_LEAF_BYTES - frame - 1)), randomSalts()).bytes).toHaveLength(65_535);
    expect(() => composeEntry(draft(policyVersion(MAX_LEAF_BYTES - frame)), randomSalts())).toThrow(RangeError);
  });

  it('commits to no value where none is meant to go', () => {
    const attributes = { companyName: { purposes: permitted } };
    const withheld = composeEntry(
      draft({ kind: 'withheld', recordId: null, version: null, attributes }),
      randomSalts(),
    );
    expect(withheld.leaf.attributes).toEqual([{ name: 'companyName', purposes: permitted }]);
    expect(withheld.openings.attributes).toEqual({});
  });

  it('says of which entry a record was aborted, and only then', () => {
    const aborted = draft({ kind: 'aborted', of: ENTRY, reached: 'maybe', attributes: {} });
    expect(composeEntry(aborted, randomSalts()).leaf).toMatchObject({ of: ENTRY, reached: 'maybe' });
    expect(() => composeEntry(draft({ of: ENTRY, reached: 'no' }), randomSalts())).toThrow(TypeError);
    expect(() => composeEntry(draft({ kind: 'aborted' }), randomSalts())).toThrow(TypeError);
  });

  it('refuses an attribute that would share the salt of the subject', () => {
    expect(() => composeEntry(draft({ attributes: { subject: { purposes: [] } } }), randomSalts())).toThrow(TypeError);
  });
});

describe('salts', () => {
  it('come again from the key, differ per entry and field, and need a whole key', () => {
    const salts = derivedSalts(KEY);
    expect(salts('a', 'b')).toEqual(derivedSalts(KEY)('a', 'b'));
    expect(salts('a', 'b')).not.toEqual(salts('a', 'c'));
    expect(salts('a', 'b')).not.toEqual(salts('c', 'b'));
    expect(() => derivedSalts(Buffer.alloc(16))).toThrow(RangeError);
  });
});

describe('opening an entry', () => {
  const entry = composeEntry(draft(), derivedSalts(KEY));
  const record = recordOf(entry, draft());
  const name = record.attributes['companyName'];

  it('works for the very record, with derived and with random salts, also after a round trip over the wire', () => {
    const leaf = JSON.parse(entry.bytes.toString()) as Leaf;
    expect(openingProblem(leaf, JSON.parse(JSON.stringify(record)) as OpenableRecord)).toBeUndefined();
    const other = composeEntry(draft(), randomSalts());
    expect(openingProblem(other.leaf, recordOf(other, draft()))).toBeUndefined();
  });

  it('does not depend on the order of attributes and purposes', () => {
    const purposes = [...permitted, { purpose: 'mailing', ground: 'permission' }];
    const two = draft({ attributes: { companyName: { purposes, value: 'A' } } });
    const composed = composeEntry(two, randomSalts());
    const shown = recordOf(
      composed,
      draft({ attributes: { companyName: { purposes: purposes.toReversed(), value: 'A' } } }),
    );
    expect(openingProblem(composed.leaf, shown)).toBeUndefined();
  });

  const forged: Record<string, OpenableRecord> = {
    'another entry': { ...record, entry: '0193566f-8a3c-7cc1-9d3f-0242ac12ffff' },
    'another version': { ...record, version: 3 },
    'another subject': { ...record, subject: ENTRY },
    'another value': { ...record, attributes: { ...record.attributes, companyName: { ...name!, value: 'B' } } },
    'another ground': {
      ...record,
      attributes: {
        ...record.attributes,
        companyName: { ...name!, purposes: [{ purpose: 'recommendation', ground: 'cooperation' }] },
      },
    },
    'a further purpose': {
      ...record,
      attributes: {
        ...record.attributes,
        companyName: { ...name!, purposes: [...permitted, { purpose: 'mailing', ground: 'permission' }] },
      },
    },
    'a further attribute': { ...record, attributes: { ...record.attributes, phone: name } },
    'an attribute missing': { ...record, attributes: { ...record.attributes, companyName: undefined } },
    'an opening that is none': { ...record, opening: '' },
    'an opening with noise that decoding would skip': { ...record, opening: `${record.opening}=` },
    'a value in place of a hold': {
      ...record,
      attributes: {
        ...record.attributes,
        email: { purposes: permitted, value: '{"held":"disputed"}', opening: entry.openings.attributes['email']! },
      },
    },
  };
  it.each(Object.keys(forged))('fails on a record with %s', (what) => {
    expect(openingProblem(entry.leaf, forged[what]!)).toBeDefined();
  });

  it('never shows a value in its problem', () => {
    expect(openingProblem(entry.leaf, forged['another value']!)).toBe('companyName: not what was committed to');
  });

  it('fails for an entry that has no record', () => {
    const aborted = draft({ kind: 'aborted', of: ENTRY, reached: 'no' });
    const composed = composeEntry(aborted, randomSalts());
    expect(openingProblem(composed.leaf, recordOf(composed, aborted))).toBeDefined();
  });
});

describe('canonical JSON (RFC 8785)', () => {
  it('writes the example of section 3.2.3', () => {
    const example = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    ) as unknown;
    expect(canonicalJson(example).toString()).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('refuses what has no JSON form', () => {
    expect(() => canonicalJson(undefined)).toThrow(TypeError);
    expect(() => canonicalJson('\ud800')).toThrow();
  });
});

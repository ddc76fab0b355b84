import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { composeEntry, openingProblem, randomSalts, type EntryKind, type Leaf, type OpenableRecord } from './index.js';

const SUBJECT = '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10';
const ENTRY = '0193566f-8a3c-7cc1-9d3f-0242ac120002';
const purposes = [{ purpose: 'mailing', ground: 'permission' }];

function pair(kind: EntryKind = 'released'): { leaf: Leaf; record: OpenableRecord } {
  const attributes = { email: { purposes, held: 'disputed' }, phone: { purposes, value: '1' } } as const;
  const { leaf, openings } = composeEntry(
    {
      id: ENTRY,
      kind,
      at: new Date('2026-11-23T09:00:00Z'),
      recipient: 'northern-hosting',
      recordId: ENTRY,
      version: 2,
      agreement: null,
      policyVersion: '1',
      subject: SUBJECT,
      attributes,
    },
    randomSalts(),
  );
  const opening = (name: string) => ({ opening: openings.attributes[name] ?? '' });
  const record = {
    subject: SUBJECT,
    version: 2,
    entry: ENTRY,
    opening: openings.subject,
    attributes: {
      email: { ...attributes.email, ...opening('email') },
      phone: { ...attributes.phone, ...opening('phone') },
    },
  };
  return { leaf, record };
}

describe('a record', () => {
  it.each(['released', 'withdrawn'] as const)('opens an entry of kind %s', (kind) => {
    const { leaf, record } = pair(kind);
    expect(openingProblem(leaf, record)).toBeUndefined();
  });

  it.each(['tombstone', 'withheld'] as const)('never opens an entry of kind %s', (kind) => {
    const { leaf, record } = pair(kind);
    expect(openingProblem(leaf, record)).toMatch(/has no record/);
  });

  it('does not open an entry that names an attribute twice', () => {
    const { leaf, record } = pair();
    const twice = { ...leaf, attributes: [...leaf.attributes, ...leaf.attributes.slice(0, 1)] };
    expect(openingProblem(twice, record)).toMatch(/twice/);
  });

  it('does not show a value of what is held', () => {
    const { leaf, record } = pair();
    const email = { ...record.attributes['email']!, value: 'a@b.example' };
    expect(openingProblem(leaf, { ...record, attributes: { ...record.attributes, email } })).toMatch(/both/);
  });

  it('is not taken for one with an attribute that every object has', () => {
    const { leaf, record } = pair();
    const named = { ...leaf, attributes: [...leaf.attributes, { name: 'constructor', purposes: [], commitment: 'x' }] };
    expect(openingProblem(named, record)).toBe('constructor: the entry names it, the record does not');
  });

  it('opens nothing where the entry committed to nothing', () => {
    const { leaf, record } = pair();
    const bare = leaf.attributes.map(({ name, purposes: own }) => ({ name, purposes: own }));
    const attributes = { ...record.attributes, email: { ...record.attributes['email']!, held: undefined } };
    expect(openingProblem({ ...leaf, attributes: bare }, { ...record, attributes })).toMatch(/^email: not what/);
  });

  it('opens nothing with a salt short enough to be guessed, though the hash fits', () => {
    const { leaf, record } = pair();
    const salt = Buffer.alloc(16, 1);
    const subject = createHmac('sha256', salt).update(JSON.stringify(SUBJECT)).digest('base64url');
    const problem = openingProblem({ ...leaf, subject }, { ...record, opening: salt.toString('base64url') });
    expect(problem).toMatch(/^subject: not what/);
  });
});

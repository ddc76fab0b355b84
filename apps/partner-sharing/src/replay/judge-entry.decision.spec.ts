import { composeEntry, randomSalts, type EntryDraft, type Leaf } from '@castiron/ledger';
import { describe, expect, it } from 'vitest';
import { aQuestion } from '../confidentiality/question.example.js';
import { judgeEntry } from './judge-entry.decision.js';

const { facts, now } = aQuestion();
const COOPERATION = [{ purpose: 'service-delivery', ground: 'cooperation' }];
const PERMISSION = [{ purpose: 'service-delivery', ground: 'permission' }];

/** What the usual case comes to, unless told otherwise. */
const leafOf = (kind: EntryDraft['kind'], purposes: Readonly<Record<string, typeof COOPERATION>>): Leaf =>
  composeEntry(
    {
      id: '0193566f-8a3c-7cc1-9d3f-0242ac120002',
      kind,
      at: now,
      recipient: facts.recipient.slug,
      recordId: null,
      version: null,
      agreement: facts.agreement?.id ?? null,
      policyVersion: '1',
      subject: '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10',
      attributes: Object.fromEntries(Object.entries(purposes).map(([name, of]) => [name, { purposes: of }])),
    },
    randomSalts(),
  ).leaf;

const objected = { ...facts, objections: ['service-delivery' as const] };

describe('an entry that is decided again', () => {
  it('is right where it says what is allowed, and no more and no less', () => {
    expect(judgeEntry(leafOf('released', { companyName: COOPERATION }), facts)).toEqual([]);
    expect(judgeEntry(leafOf('withdrawn', {}), objected)).toEqual([]);
    expect(judgeEntry(leafOf('tombstone', {}), objected)).toEqual([]);
  });

  it('is told what it says and nothing allows, with the clauses that refuse', () => {
    const said = leafOf('released', { companyName: COOPERATION });
    expect(judgeEntry(said, objected)).toMatchObject([
      {
        attribute: 'companyName',
        purpose: 'service-delivery',
        allowedBy: 'entry',
        refusals: expect.arrayContaining([
          expect.objectContaining({ clause: 'p13-no-cooperation-against-an-objection' }),
        ]),
      },
    ]);
  });

  it('is told of an attribute that nobody asked for', () => {
    const said = leafOf('released', { companyName: COOPERATION, email: COOPERATION });
    expect(judgeEntry(said, facts)).toMatchObject([{ attribute: 'email', allowedBy: 'entry', refusals: [] }]);
  });

  it('is told of a ground that is another', () => {
    expect(judgeEntry(leafOf('released', { companyName: PERMISSION }), facts)).toMatchObject([
      { ground: 'permission', allowedBy: 'entry' },
      { ground: 'cooperation', allowedBy: 'decision' },
    ]);
  });

  it('is told what it leaves out', () => {
    expect(judgeEntry(leafOf('withdrawn', {}), facts)).toMatchObject([
      { attribute: 'companyName', purpose: 'service-delivery', allowedBy: 'decision' },
    ]);
  });

  it('goes by its own time', () => {
    const said = leafOf('released', { companyName: COOPERATION });
    const ended = { ...facts, agreement: { ...facts.agreement!, until: now } };
    expect(judgeEntry(said, ended)).toMatchObject([{ allowedBy: 'entry' }]);
  });

  it('was withheld rightly where some of it was not allowed, and only then', () => {
    const withheld = leafOf('withheld', { companyName: COOPERATION });
    expect(judgeEntry(withheld, objected)).toEqual([]);
    expect(judgeEntry(withheld, facts)).toMatchObject([{ attribute: 'companyName', allowedBy: 'decision' }]);
  });
});

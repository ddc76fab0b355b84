import { encodeEvent, encodeTombstone, feedRecord, feedTick, type WireMessage } from '@castiron/contracts';
import { composeEntry, randomSalts } from '@castiron/ledger';
import { describe, expect, it } from 'vitest';
import { claimOf, groundProblem, type NamedEntry, type RecordClaim } from './ground-of-record.decision.js';

const RECIPIENT = 'acme';
const SUBJECT = feedRecord.example.subject;
const ENTRY = feedRecord.example.entry;
const RECORD = '0193566f-8a3c-7cc1-9d3f-0242ac120003';
const AT = new Date('2026-12-01T09:00:00Z');
const META = { id: RECORD, time: AT, ledgerEntry: ENTRY };
const PURPOSES = [{ purpose: 'recommendation', ground: 'permission' }] as const;

function entry(kind: 'released' | 'tombstone' | 'withheld' = 'released') {
  const composed = composeEntry(
    {
      id: ENTRY,
      kind,
      at: AT,
      recipient: RECIPIENT,
      recordId: RECORD,
      version: 2,
      agreement: null,
      policyVersion: '1',
      subject: SUBJECT,
      attributes: kind === 'released' ? { companyName: { purposes: PURPOSES, value: 'Acme' } } : {},
    },
    randomSalts(),
  );
  const named: NamedEntry = { leaf: composed.leaf, index: '41', share: 'a share', subject: SUBJECT, reached: null };
  const message = encodeEvent(
    feedRecord,
    {
      subject: SUBJECT,
      version: 2,
      entry: ENTRY,
      index: '41',
      opening: composed.openings.subject,
      attributes: {
        companyName: {
          value: 'Acme',
          purposes: [...PURPOSES],
          opening: composed.openings.attributes['companyName'] ?? 'AA',
        },
      },
      mailing: 'stopped',
    },
    META,
    RECIPIENT,
  );
  return { named, message };
}

function recordOf(message: WireMessage): RecordClaim {
  const claim = claimOf(message, 0);
  if (claim.kind !== 'record') throw new Error(JSON.stringify(claim));
  return claim;
}
const tombstone = encodeTombstone(feedRecord, SUBJECT, META, RECIPIENT);

describe('a message on a feed', () => {
  it('is a tick only if it is nothing but one', () => {
    const tick = feedTick('feeds.acme.v1', 0);
    expect(claimOf(tick, 0)).toEqual({ kind: 'tick' });
    for (const other of [
      { ...tick, key: SUBJECT },
      { ...tick, value: 'hidden' },
      { ...tick, headers: { ...tick.headers, more: 'hidden' } },
    ])
      expect(claimOf(other, 0)).toEqual({ kind: 'no-record', problem: 'it is of the type of ticks and is none' });
  });

  it('is no record where nobody knows its type, it has no headers, is broken, or names no entry, or two', () => {
    const { message } = entry();
    const { ce_ledgerentry: _none, ...nameless } = message.headers;
    for (const [other, problem] of [
      [{ ...message, headers: {} }, 'missing-headers'],
      [{ ...message, headers: { ...message.headers, ce_type: 'feeds.other.v1' } }, 'unknown-type'],
      [{ ...message, value: '{' }, 'bad-json'],
      [{ ...message, value: '{}' }, 'unknown-shape'],
      [{ ...message, key: RECORD }, 'bad-data'],
      [{ ...message, headers: nameless }, 'names no entry'],
      [{ ...message, headers: { ...nameless, ce_ledgerentry: 'x' } }, 'names no entry'],
      [{ ...message, headers: { ...nameless, ce_ledgerentry: RECORD } }, 'names two entries'],
    ] as const)
      expect(claimOf(other, 0)).toMatchObject({ kind: 'no-record', problem: expect.stringContaining(problem) });
  });

  it('is a record, or a tombstone', () => {
    expect(claimOf(entry().message, 0)).toMatchObject({
      kind: 'record',
      entry: ENTRY,
      recordId: RECORD,
      recipient: RECIPIENT,
    });
    expect(claimOf(tombstone, 0)).toMatchObject({ kind: 'record', entry: ENTRY, subject: SUBJECT, data: null });
  });
});

describe('a record', () => {
  it('has its ground where it opens the entry that it names', () => {
    const { named, message } = entry();
    expect(groundProblem(recordOf(message), named)).toBeUndefined();
    expect(groundProblem(recordOf(tombstone), entry('tombstone').named)).toBeUndefined();
  });

  it('that may stand although its send failed has it too, and one that may not has none', () => {
    const { named, message } = entry();
    expect(groundProblem(recordOf(message), { ...named, reached: 'maybe' })).toBeUndefined();
    expect(groundProblem(recordOf(message), { ...named, reached: 'no' })).toMatch(/aborted/);
  });

  it.each<[string, Partial<NamedEntry> | undefined, RegExp]>([
    ['that is not there', undefined, /no entry/],
    ['at another index', { index: '42' }, /another index/],
    ['of another subject', { subject: RECORD }, /another subject/],
    ['of nobody', { subject: null, share: null }, /another subject/],
    ['of another recipient', { leaf: { ...entry().named.leaf, recipient: 'bolt' } }, /another recipient/],
    ['of another record', { leaf: { ...entry().named.leaf, recordId: ENTRY } }, /another record/],
    ['of another version', { leaf: { ...entry().named.leaf, version: '3' } }, /another version/],
    ['of another value', { leaf: entry().named.leaf }, /not what was committed to/],
    ['without a record', { leaf: entry('withheld').named.leaf }, /of kind withheld has no record/],
  ])('has none by an entry %s', (_what, over, problem) => {
    const { named, message } = entry();
    expect(groundProblem(recordOf(message), over && { ...named, ...over })).toMatch(problem);
  });

  it('takes its key from the feed only by an entry of a tombstone', () => {
    expect(groundProblem(recordOf(tombstone), entry().named)).toMatch(/not of a tombstone/);
    expect(groundProblem(recordOf(entry().message), entry('tombstone').named)).toMatch(/no record/);
  });
});

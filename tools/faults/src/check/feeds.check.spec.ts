import { describe, expect, it } from 'vitest';
import { checkFeeds } from './feeds.check.js';
import { ATTRIBUTES, done, goodRun, KEY, onFeed, onNotified, PARTNER, permission, SUBJECT } from './history.example.js';
import type { Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => [...new Set(checkFeeds(goodRun(over)).map(({ kind }) => kind))];

it('a feed that does not end with what is permitted is told, whatever answer was lost', () => {
  expect(said({ partnerFeed: [] })).toEqual(['lost']);
  const revoked = done(4, { kind: 'revoke', purpose: 'recommendation' }, 'info');
  const operations = [...goodRun().operations, revoked];
  const permissions = [permission(1, 'granted'), permission(2, 'revoked')];
  const permitted = new Map([[KEY, { version: 2, state: 'revoked' }]]);
  expect(said({ operations, permissions, permitted })).toEqual(['lost']);
  const empty = onFeed(2, 1, { values: {}, purposes: {} });
  expect(said({ operations, permissions, permitted, partnerFeed: [onFeed(1, 0), empty] })).toEqual([]);
  const old = onFeed(1, 0, { values: { companyName: `${PARTNER}-1`, email: `${PARTNER}-1@faults.example` } });
  expect(said({ partnerFeed: [old] })).toEqual(['lost']);
});

describe('notifications', () => {
  it('ends with all that it needs of every customer, and nothing else', () => {
    const ending = (values: Record<string, string>) => said({ notificationsFeed: [onNotified(1, 0, { values })] });
    const { companyName, email, vatNumber } = ATTRIBUTES;
    expect(ending({ companyName, email })).toEqual([]);
    expect(ending({ companyName, email: `${PARTNER}-1@faults.example` })).toEqual(['lost']);
    expect(ending({ companyName })).toEqual(['lost']);
    expect(ending({ companyName, email, vatNumber })).toEqual(['lost']);
    expect(said({ notificationsFeed: [], subjects: new Map() })).toEqual(['lost']);
  });
});

describe('a version of what a recipient holds', () => {
  const shares = goodRun().shares.map((share) => ({ ...share, version: share.recipient === PARTNER ? 2 : 1 }));
  const aborted = [{ recipient: PARTNER, subject: SUBJECT, version: 1, purposes: {}, reached: 'no' as const }];

  it('is on its feed, unless it was aborted', () => {
    expect(said({ shares, partnerFeed: [onFeed(1, 0), onFeed(2, 1)] })).toEqual([]);
    expect(said({ shares, partnerFeed: [onFeed(2, 1)] })).toEqual(['lost']);
    expect(said({ shares, partnerFeed: [onFeed(2, 1)], aborted })).toEqual([]);
  });

  it('is not on its feed where it was, unless the ledger says that it may be', () => {
    const partnerFeed = [onFeed(1, 0), onFeed(2, 1)];
    expect(said({ shares, partnerFeed, aborted })).toEqual(['wrong']);
    expect(said({ shares, partnerFeed, aborted: aborted.map((one) => ({ ...one, reached: 'maybe' })) })).toEqual([]);
  });

  it('is looked for though nothing of its subject is on any feed', () => {
    const withdrawn = shares.map((share) => (share.recipient === PARTNER ? { ...share, state: 'withdrawn' } : share));
    const permitted = new Map([[KEY, { version: 2, state: 'revoked' }]]);
    expect(said({ shares: withdrawn, permitted, partnerFeed: [] })).toEqual(['lost']);
    // Of a recipient that is none of the run's no feed was read.
    const other = { ...withdrawn[0]!, recipient: 'other', subject: 'other' };
    expect(said({ shares: [...goodRun().shares, other] })).toEqual([]);
  });

  it('is not above the one at which its share stands, but for one that is not settled', () => {
    const partnerFeed = [onFeed(1, 0), onFeed(2, 1)];
    const behind = goodRun().shares;
    expect(said({ shares: behind, partnerFeed })).toEqual(['invented']);
    expect(said({ shares: behind, partnerFeed, unsettled: ['a release is being sent'] })).toEqual(['stuck']);
    expect(said({ shares, partnerFeed })).toEqual([]);
  });

  it('stands for a share of that very recipient', () => {
    const swapped = goodRun().shares.map((share) => ({
      ...share,
      recipient: share.recipient === PARTNER ? 'notifications' : PARTNER,
    }));
    expect(said({ shares: swapped })).toContain('invented');
  });
});

it('where each record is aborted first and sent then, somebody does no work', () => {
  const shares = goodRun().shares.map((share) => ({ ...share, version: share.recipient === PARTNER ? 6 : 1 }));
  const feed = (...versions: number[]) => versions.map((version) => onFeed(version, version));
  const aborted = (...versions: number[]) =>
    versions.map((version) => ({
      recipient: PARTNER,
      subject: SUBJECT,
      version,
      purposes: {},
      reached: 'no' as const,
    }));
  expect(said({ shares, partnerFeed: feed(2, 4, 5, 6), aborted: aborted(1, 3) })).toEqual([]);
  expect(said({ shares, partnerFeed: feed(2, 4, 6), aborted: aborted(1, 3, 5) })).toEqual([]);
  expect(said({ shares, partnerFeed: feed(4, 6), aborted: aborted(1, 2, 3, 5) })).toEqual(['wrong']);
});

it('a recipient that is sent back to an older value is told, whatever its version', () => {
  const older = { values: { companyName: `${PARTNER}-1`, email: `${PARTNER}-1@faults.example` } };
  expect(said({ partnerFeed: [onFeed(1, 0), onFeed(2, 1, older), onFeed(3, 2)] })).toEqual(['reordered']);
  expect(said({ partnerFeed: [onFeed(1, 0, older), onFeed(2, 1)] })).toEqual([]);
});

it('a recipient that is sent back to what was withdrawn is told', () => {
  const withdrawn = { values: { companyName: `${PARTNER}-1` }, purposes: { companyName: ['recommendation'] } };
  expect(said({ partnerFeed: [onFeed(1, 0), onFeed(2, 1, withdrawn), onFeed(3, 2)] })).toEqual(['reordered']);
  // What was not carried at all says nothing of the customer: a permission went and came again.
  const nothing = { values: {}, purposes: {} };
  expect(said({ partnerFeed: [onFeed(1, 0), onFeed(2, 1, nothing), onFeed(3, 2)] })).toEqual([]);
  const older = { values: { companyName: `${PARTNER}-1`, email: `${PARTNER}-1@faults.example` } };
  expect(said({ partnerFeed: [onFeed(1, 0, older), onFeed(2, 1, withdrawn), onFeed(3, 2)] })).toEqual([]);
});

it('a record that says of mailings what it has nothing for is told', () => {
  expect(said({ notificationsFeed: [onNotified(1, 0, { mailing: 'allowed' })] })).toEqual(['wrong']);
  const mailing = { companyName: ['notices', 'mailing'], email: ['notices'] };
  expect(said({ notificationsFeed: [onNotified(1, 0, { purposes: mailing })] })).toEqual(['wrong']);
  expect(said({ notificationsFeed: [onNotified(1, 0, { purposes: mailing, mailing: 'allowed' })] })).toEqual([]);
});

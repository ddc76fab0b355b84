import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import {
  came,
  done,
  goodRun,
  mailOf,
  NOTIFIED,
  onFeed,
  onNotified,
  PARTNER,
  STARTED,
  SUBJECT,
  WELCOME,
} from './history.example.js';
import type { Notice, Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => check(goodRun(over)).map(({ kind, what }) => `${kind}: ${what}`);

/** With the e-mail that the customer had before. */
const older = { values: { companyName: `${PARTNER}-1`, email: `${PARTNER}-1@faults.example` } };

/** The companyName alone is left. */
const narrowed = { values: { companyName: `${PARTNER}-1` }, purposes: { companyName: ['recommendation'] } };

describe('a record that takes something away', () => {
  const obligation = { id: 'o', recipient: PARTNER, subject: SUBJECT, version: 2, state: 'open' };
  const withdrawal = { id: 'w', subject: SUBJECT, version: 2 };
  const over = {
    partnerFeed: [onFeed(1, 0, older), onFeed(2, 1, narrowed), onFeed(3, 2)],
    obligations: [obligation],
    withdrawals: [withdrawal],
  };

  it('owes one duty, and tells of it', () => {
    expect(said(over)).toEqual([]);
    expect(said({ ...over, obligations: [], withdrawals: [] })).toEqual([
      `lost: the obligation of ${SUBJECT} v2 is not there`,
      `lost: the duty of ${SUBJECT} v2 is not there`,
    ]);
  });

  it('owes it once, whatever ids the second one has', () => {
    const obligations = [obligation, { ...obligation, id: 'again' }];
    const withdrawals = [withdrawal, { ...withdrawal, id: 'again' }];
    expect(said({ ...over, obligations, withdrawals })).toEqual([
      `duplicated: the obligation of ${SUBJECT} v2 is there 2 times`,
      `duplicated: the duty of ${SUBJECT} v2 is there 2 times`,
    ]);
    // A copy of the same event is none.
    expect(said({ ...over, withdrawals: [withdrawal, withdrawal] })).toEqual([]);
  });

  it('is the only one that does', () => {
    expect(said({ obligations: [{ ...obligation, version: 1 }] })).toHaveLength(1);
    expect(said({ withdrawals: [{ ...withdrawal, version: 1 }] })).toHaveLength(1);
  });

  it('is one, too, where only a purpose has ended', () => {
    const both = { companyName: ['recommendation', 'invoicing'], email: ['recommendation'] };
    const permitted = done(4, { kind: 'grant', purpose: 'invoicing' }, 'info', {}, 30);
    const operations = [...goodRun().operations, permitted];
    expect(said({ ...over, operations, partnerFeed: [onFeed(1, 0, { purposes: both }), onFeed(2, 1)] })).toEqual([]);
  });
});

describe('a duty of notifications', () => {
  const obligation = { id: 'o', recipient: 'notifications', subject: NOTIFIED, version: 2, state: 'confirmed' };
  const over = {
    notificationsFeed: [
      onNotified(1, 0, older),
      onNotified(2, 1, { ...narrowed, purposes: { companyName: ['notices'] } }),
      onNotified(3, 2),
    ],
    subjects: new Map([[NOTIFIED, 3]]),
    obligations: [obligation],
    withdrawals: [{ id: 'w', subject: NOTIFIED, version: 2 }],
    confirmations: [{ id: 'c', about: 'o' }],
  };

  it('is confirmed by one event', () => {
    expect(said(over)).toEqual([]);
    expect(said({ ...over, confirmations: [] })).toHaveLength(1);
    expect(said({ ...over, confirmations: [...over.confirmations, { id: 'again', about: 'o' }] })).toEqual([
      'duplicated: the confirmation of o is there 2 times',
    ]);
  });

  it('is closed once it was confirmed', () => {
    expect(said({ ...over, obligations: [{ ...obligation, state: 'open' }] })).toEqual([
      'lost: the obligation o was confirmed, and is still open',
    ]);
  });
});

it('a record that was aborted counts as read where it may have been: what the next one lacks is owed', () => {
  const aborted = {
    recipient: PARTNER,
    subject: SUBJECT,
    version: 1,
    purposes: onFeed(1, 0).purposes,
    reached: 'maybe' as const,
  };
  const partnerFeed = [onFeed(2, 1, narrowed), onFeed(3, 2)];
  expect(said({ aborted: [aborted], partnerFeed })).toHaveLength(2);
  expect(said({ aborted: [{ ...aborted, reached: 'no' }], partnerFeed })).toEqual([]);
  const withdrawals = [{ id: 'w', subject: SUBJECT, version: 2 }];
  const obligations = [{ id: 'o', recipient: PARTNER, subject: SUBJECT, version: 2, state: 'open' }];
  expect(said({ aborted: [aborted], partnerFeed, withdrawals, obligations })).toEqual([]);
});

describe('a customer is told', () => {
  const telling = (...notices: readonly Notice[]) =>
    said({
      notices,
      mails: notices.map(({ notice }) => mailOf(notice)),
      letters: new Map(notices.map(({ notice }) => [mailOf(notice).id, came(1)])),
    }).map((line) => line.split(':')[0]);
  const again = (notice: Notice): Notice => ({ ...notice, id: 'again', notice: 'again' });

  it('welcome, once', () => {
    expect(telling(WELCOME, STARTED)).toEqual([]);
    expect(telling(STARTED)).toEqual(['lost']);
    expect(telling(WELCOME, STARTED, again(WELCOME))).toEqual(['duplicated']);
  });

  it('that sharing started or ended as often as it did', () => {
    expect(telling(WELCOME)).toEqual(['lost']);
    expect(telling(WELCOME, STARTED, again(STARTED))).toEqual(['duplicated']);
    expect(telling(WELCOME, { ...STARTED, kind: 'sharing-ended' })).toEqual(['wrong']);
  });

  it('of sharing that started with a record that was aborted, and not of what stands on the feed anew', () => {
    const aborted = {
      recipient: PARTNER,
      subject: SUBJECT,
      version: 1,
      purposes: onFeed(1, 0).purposes,
      reached: 'maybe' as const,
    };
    const over = { aborted: [aborted], partnerFeed: [onFeed(2, 1)] };
    expect(said(over)).toEqual([]);
    const notices = [WELCOME];
    const mails = [mailOf('welcome')];
    const letters = new Map([[mailOf('welcome').id, came(1)]]);
    expect(said({ ...over, notices, mails, letters })).toHaveLength(1);
  });
});

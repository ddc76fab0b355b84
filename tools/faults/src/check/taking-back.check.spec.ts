import { describe, expect, it } from 'vitest';
import { slugOf } from '../plan/operations.js';
import { checkCancellations } from './cancellations.check.js';
import { checkFeeds } from './feeds.check.js';
import { checkFence } from './fence.check.js';
import {
  CUSTOMER,
  done,
  goodRun,
  lastOn,
  NOTIFIED,
  onFeed,
  onNotified,
  PARTNER,
  permissionFor,
} from './history.example.js';
import type { Leaving, Observed } from './observed.js';
import { checkPermissions, mailingOf } from './permissions.check.js';
import { checkTerminations } from './terminations.check.js';

const good = goodRun();
const CHECKS = [checkPermissions, checkTerminations, checkCancellations, checkFeeds, checkFence];
const said = (over: Partial<Observed>): string[] => {
  const observed = goodRun(over);
  return [...new Set(CHECKS.flatMap((check) => check(observed)).map(({ kind }) => kind))];
};

describe('an agreement that was terminated', () => {
  const slug = slugOf(PARTNER, 0, 'leaving');
  const key = `${CUSTOMER}/${slug}/recommendation`;
  const subject = 'subject-of-leaving';
  const granted = done(5, { kind: 'grant', purpose: 'recommendation', recipient: 'leaving' }, 'ok', { version: 1 });
  const terminated = { ...done(6, { kind: 'terminate' }, 'ok', { answered: 100 }), customer: undefined };
  const sent = onFeed(1, 7, { subject, id: 'leaving@1', at: 90 });
  const withdrawn = onFeed(2, 8, { subject, id: 'leaving@2', values: {}, purposes: {} });
  const both = [sent, withdrawn];
  const of = (leaving: Partial<Leaving>, outcome: 'ok' | 'info' | 'none' = 'ok'): Partial<Observed> => ({
    operations: [...good.operations, granted, ...(outcome === 'none' ? [] : [{ ...terminated, outcome }])],
    permissions: [...good.permissions, permissionFor(key, 1, 'granted')],
    permitted: new Map([...good.permitted, [key, { version: 1, state: 'granted' }]]),
    shares: [
      ...good.shares,
      {
        customer: CUSTOMER,
        recipient: slug,
        subject,
        lane: 7,
        version: lastOn(leaving.feed ?? both),
        state: 'withdrawn',
      },
    ],
    leaving: [{ slug, state: 'terminated', told: 'terminated', feed: both, ...leaving }],
  });

  it('takes back what stood on the feed of its partner, though permissions stand', () => {
    expect(said(of({}))).toEqual([]);
    expect(said(of({ feed: [sent] }))).toEqual(['lost']);
    expect(said(of({ state: 'in-force', told: 'in-force', feed: [sent] }, 'none'))).toEqual([]);
  });

  it('lets nothing more get there once it was answered', () => {
    const late = onFeed(2, 8, { subject, id: 'leaving@2', at: 101 });
    const end = onFeed(3, 9, { subject, id: 'leaving@3', values: {}, purposes: {} });
    expect(said(of({ feed: [sent, late, end] }))).toEqual(['revoked-and-sent']);
    expect(said(of({ feed: [sent, late, end] }, 'info'))).toEqual([]);
  });

  it('stays so, once it was answered, and is told so', () => {
    expect(said(of({ state: 'in-force', told: 'in-force', feed: [sent] }))).toEqual(['lost']);
    expect(said(of({ state: 'in-force', told: 'in-force', feed: [sent] }, 'info'))).toEqual([]);
    expect(said(of({ told: 'in-force' }))).toEqual(['lost']);
    expect(said(of({}, 'none'))).toEqual(['invented']);
  });
});

describe('mailings that were cancelled', () => {
  const key = mailingOf(CUSTOMER);
  const mailing = { companyName: ['notices', 'mailing'] };
  const { companyName, email } = onNotified(1, 0).values;
  const allowed = onNotified(2, 1, { values: { companyName, email }, purposes: mailing, mailing: 'allowed' });
  const stopped = onNotified(3, 2);
  const granted = done(5, { kind: 'grant', purpose: 'mailing', recipient: 'notifications' }, 'ok', { version: 1 });
  const of = (over: Partial<Observed>, outcome: 'ok' | 'info' | 'none' = 'ok'): Partial<Observed> => ({
    operations: [...good.operations, granted, ...(outcome === 'none' ? [] : [done(6, { kind: 'cancel' }, outcome)])],
    permissions: [...good.permissions, permissionFor(key, 1, 'granted'), permissionFor(key, 2, 'revoked')],
    permitted: new Map([...good.permitted, [key, { version: 2, state: 'revoked' }]]),
    notificationsFeed: [onNotified(1, 0), allowed, stopped],
    subjects: new Map([[NOTIFIED, 3]]),
    cancelled: new Set(outcome === 'none' ? [] : [NOTIFIED]),
    ...over,
  });
  const stillGranted: Partial<Observed> = {
    permissions: [...good.permissions, permissionFor(key, 1, 'granted')],
    permitted: new Map([...good.permitted, [key, { version: 1, state: 'granted' }]]),
    notificationsFeed: [onNotified(1, 0), allowed],
  };

  it('take back the permission that they rest on', () => {
    expect(said(of({}))).toEqual([]);
    expect(said(of({}, 'info'))).toEqual([]);
    expect(said(of(stillGranted))).toEqual(['lost']);
    expect(said(of(stillGranted, 'info'))).toEqual([]);
    expect(said(of({}, 'none'))).toEqual(['invented']);
  });

  it('stay cancelled at whoever mails', () => {
    expect(said(of({ cancelled: new Set() }))).toEqual(['lost']);
    expect(said(of({ cancelled: new Set() }, 'info'))).toEqual([]);
    expect(said({ cancelled: new Set([NOTIFIED]) })).toEqual(['invented']);
  });

  it('are none on the feed in the end', () => {
    expect(said(of({ notificationsFeed: [onNotified(1, 0), allowed] }))).toEqual(['lost']);
  });

  it('are on the feed where they are permitted', () => {
    expect(said(of({ ...stillGranted, notificationsFeed: [onNotified(1, 0)] }, 'info'))).toEqual(['lost']);
  });
});

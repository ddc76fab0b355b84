import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import { ATTRIBUTES, done, goodRun, onFeed, onNotified } from './history.example.js';
import type { FeedRecord, Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] =>
  check(goodRun(over))
    .filter(({ what }) => what.includes('nothing allows'))
    .map(({ kind, what }) => `${kind}: ${what}`);

const { companyName, email, vatNumber } = ATTRIBUTES;
const last = onFeed(2, 1);

describe('a record of a partner', () => {
  // The last one is as it should be: what was there before has gone by the end.
  const holding = (over: Partial<FeedRecord>) => said({ partnerFeed: [onFeed(1, 0, over), last] });

  it('holds what the agreement lists, for what was permitted', () => {
    expect(holding({})).toEqual([]);
    expect(holding({ values: {}, purposes: {} })).toEqual([]);
  });

  it('holds no attribute that the agreement does not list for the purpose', () => {
    const purposes = { companyName: ['recommendation'], vatNumber: ['recommendation'] };
    expect(holding({ values: { companyName, vatNumber }, purposes })).toEqual([
      expect.stringMatching(/^invented: .* has vatNumber for recommendation, which nothing allows$/),
    ]);
  });

  it('holds nothing for a purpose that the agreement does not list, nor for none', () => {
    expect(holding({ values: { email }, purposes: { email: ['recommendation', 'service-delivery'] } })).toEqual([
      expect.stringContaining('email for service-delivery'),
    ]);
    expect(holding({ values: { email }, purposes: {} })).toEqual([expect.stringContaining('email for nothing')]);
    expect(holding({ values: { email }, purposes: { email: [] } })).toHaveLength(1);
  });

  it('holds nothing for a purpose that nobody had permitted by then, though somebody does later', () => {
    const invoicing = { values: { companyName }, purposes: { companyName: ['invoicing'] }, at: 45 };
    const granting = (invoked: number, outcome: 'ok' | 'info' | 'fail', over = {}) => {
      const grant = { ...done(5, { kind: 'grant', purpose: 'invoicing' }, outcome, {}, invoked), ...over };
      return said({ operations: [...goodRun().operations, grant], partnerFeed: [onFeed(1, 0, invoicing), last] });
    };
    expect(holding(invoicing)).toHaveLength(1);
    expect(granting(46, 'ok')).toHaveLength(1);
    expect(granting(44, 'fail')).toHaveLength(1);
    expect(granting(44, 'ok', { customer: 'another' })).toHaveLength(1);
    // Whether it was answered or not, and when: it may have come to pass at once.
    for (const outcome of ['ok', 'info'] as const) expect(granting(45, outcome)).toEqual([]);
  });

  it('is looked at where its partner has gone, too', () => {
    const slug = `${goodRun().partner}-0`;
    const subject = 'subject-of-leaving';
    const leaving = [{ slug, state: 'in-force', told: 'in-force', feed: [onFeed(1, 7, { subject, id: 'leaving@1' })] }];
    const share = { ...goodRun().shares[0]!, recipient: slug, subject };
    // Both attributes: the permission is for another partner.
    expect(said({ leaving, shares: [...goodRun().shares, share] })).toHaveLength(2);
  });
});

describe('a record of notifications', () => {
  const mailing = { values: { email }, purposes: { email: ['notices', 'mailing'] } };
  const notified = (over: Partial<FeedRecord>, operations = goodRun().operations) =>
    said({ operations, notificationsFeed: [onNotified(1, 0, over), onNotified(2, 1)] });

  it('holds what notices need, of everybody', () => {
    expect(notified({})).toEqual([]);
    expect(notified({ values: { vatNumber }, purposes: { vatNumber: ['notices'] } })).toHaveLength(1);
  });

  it('holds something for mailings only where they were permitted by then', () => {
    const granted = (invoked: number) =>
      done(5, { kind: 'grant', purpose: 'mailing', recipient: 'notifications' }, 'ok', {}, invoked);
    expect(notified(mailing)).toHaveLength(1);
    expect(notified(mailing, [...goodRun().operations, granted(30)])).toEqual([]);
    expect(notified(mailing, [...goodRun().operations, granted(36)])).toHaveLength(1);
  });
});

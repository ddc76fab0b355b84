import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import { done, goodRun, mailOf, onNotified, PARTNER, record, WELCOME } from './history.example.js';
import type { Observed } from './observed.js';

const said = (over: Partial<Observed>): string[] => [...new Set(check(goodRun(over)).map(({ kind }) => kind))];

describe('a registration without an answer', () => {
  const unanswered = { ...done(7, { kind: 'register' }, 'info'), customer: undefined };
  const attributes = {
    companyName: `${PARTNER}-7`,
    registeredAddress: `${PARTNER}-7`,
    servicesUsed: `${PARTNER}-7`,
    email: `${PARTNER}-7@faults.example`,
    vatNumber: `${PARTNER}-7`,
  };
  const good = goodRun();
  const over: Partial<Observed> = {
    operations: [...good.operations, unanswered],
    finals: new Map([...good.finals, ['late', { version: 1, attributes }]]),
    profiles: [...good.profiles, record('late', 1, 7)],
    copies: new Map([...good.copies, ['late', 1]]),
    shares: [
      ...good.shares,
      { customer: 'late', recipient: 'notifications', subject: 'late-1', lane: 7, version: 1, state: 'released' },
    ],
    notificationsFeed: [
      ...good.notificationsFeed,
      onNotified(1, 1, {
        id: 'late@1',
        subject: 'late-1',
        values: { companyName: attributes.companyName, email: attributes.email },
      }),
    ],
    subjects: new Map([...good.subjects, ['late-1', 1]]),
    notices: [...good.notices, { ...WELCOME, id: 'late', notice: 'late', subject: 'late-1' }],
    mails: [...good.mails, mailOf('late', { subject: 'late-1' })],
    letters: new Map([...good.letters, [mailOf('late').id, [attributes.email]]]),
  };

  it('may have come to pass, and is held to all that others are', () => {
    expect(said(over)).toEqual([]);
    expect(said({ ...over, profiles: good.profiles })).toContain('lost');
    expect(said({ ...over, copies: good.copies })).toContain('stuck');
    expect(said({ ...over, notificationsFeed: good.notificationsFeed })).toContain('lost');
  });

  it('excuses nobody else: a customer whom nobody registered is invented', () => {
    const stranger = { ...attributes, servicesUsed: `${PARTNER}-8` };
    expect(
      said({ ...over, finals: new Map([...good.finals, ['late', { version: 1, attributes: stranger }]]) }),
    ).toContain('invented');
  });
});

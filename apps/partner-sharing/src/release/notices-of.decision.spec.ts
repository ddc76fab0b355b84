import { describe, expect, it } from 'vitest';
import { noticeOf } from './notices-of.decision.js';
import type { Outcome } from './outcome.js';

const held = (...names: ('companyName' | 'email')[]) =>
  names.map((name) => ({ name, version: 1, purposes: [{ purpose: 'recommendation', ground: 'permission' }] as const }));

const outcome = (over: Partial<Outcome>): Outcome => ({
  kind: 'released',
  version: 1,
  recordId: 'r',
  index: '0',
  at: '2026-11-23T09:00:00.000Z',
  recipient: 'northern',
  recipientName: 'Northern Hosting',
  internal: false,
  customer: 'c',
  subject: 's',
  holds: held('companyName'),
  mailing: 'stopped',
  before: { state: 'none', holds: [] },
  ...over,
});
const RELEASED = { state: 'released', holds: held('companyName', 'email') } as const;

describe('a customer is told', () => {
  it('when sharing with a partner starts, ends, and starts again', () => {
    const about = 'Northern Hosting';
    expect(noticeOf(outcome({}), 'registered')).toEqual({ kind: 'sharing-started', about });
    expect(noticeOf(outcome({ kind: 'withdrawn', holds: [], before: RELEASED }), 'imported')).toEqual({
      kind: 'sharing-ended',
      about,
    });
    expect(noticeOf(outcome({ before: { state: 'ended', holds: [] } }), 'imported')).toEqual({
      kind: 'sharing-started',
      about,
    });
  });

  it('nothing when a record only changes, or is of another service of our own', () => {
    expect(noticeOf(outcome({ before: RELEASED }), 'registered')).toBeUndefined();
    expect(noticeOf(outcome({ internal: true }), 'registered')).toBeUndefined();
  });

  it('welcome once, and only who registered: an imported customer was one before', () => {
    const first = outcome({ recipient: 'notifications', internal: true });
    expect(noticeOf(first, 'registered')).toEqual({ kind: 'welcome' });
    expect(noticeOf(first, 'imported')).toBeUndefined();
    expect(noticeOf({ ...first, before: RELEASED }, 'registered')).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import type { Fault } from '../plan/faults.js';
import type { Happened } from '../rig/nemesis.js';
import { ownEndsIn, type Ended } from './own-ends.check.js';

const AT = Date.parse('2026-11-29T21:00:00.000Z');
const after = 0;
const REFUSED = 'Error: connect ECONNREFUSED, before it was up';
const ended = (over: Partial<Ended> = {}): Ended => ({
  replica: 'notifications-2',
  time: new Date(AT).toISOString(),
  kind: 'away',
  why: REFUSED,
  ...over,
});
const restart: Fault = { kind: 'database-restart', after };
const around = (fault: Fault, replica?: string): Happened => ({
  fault,
  ...(replica !== undefined && { replica }),
  from: AT - 1_000,
  until: AT + 1_000,
});
const asked: Fault = { kind: 'asked-to-end', service: 'notifications', replica: 0, after };
const said = (end: Ended, ...met: Happened[]) => {
  const { away, wrong } = ownEndsIn([end], met);
  return [...away.map((what) => `away: ${what}`), ...wrong.map(({ kind, what }) => `${kind}: ${what}`)];
};

describe('a process that could not start', () => {
  const excused = [`away: notifications-2 ended by itself: ${REFUSED}`];
  const blamed = [`crashed: notifications-2 ended by itself: ${REFUSED}, and nothing was away`];

  it.each<Fault>([
    restart,
    { kind: 'backends-terminated', after },
    { kind: 'broker-restart', after },
    { kind: 'broker-away', ms: 3_000, after },
  ])('is excused while database or broker were away: $kind', (fault) => {
    expect(said(ended(), around(fault))).toEqual(excused);
  });

  it('is excused while something befell it, or who shares its database', () => {
    for (const replica of ['notifications-1', 'notifications-2'])
      expect(said(ended(), around(asked, replica)), replica).toEqual(excused);
    expect(said(ended(), around(asked, 'partner-sharing-2'))).toEqual(blamed);
    expect(said(ended(), around({ kind: 'delivered-twice', copies: 5, after }))).toEqual(blamed);
  });

  it('is a bug where nothing was away, whatever it says', () => {
    expect(said(ended())).toEqual(blamed);
    const before = { fault: restart, from: AT - 60_000, until: AT - 35_000 };
    expect(said(ended(), before)).toEqual(blamed);
    expect(said(ended(), { ...before, from: AT + 1, until: AT + 2 })).toEqual(blamed);
  });

  it('may feel it for a while', () => {
    expect(said(ended(), { fault: restart, from: AT - 60_000, until: AT - 30_000 })).toEqual(excused);
  });
});

it('another end is wrong, whatever was away', () => {
  expect(said(ended({ kind: 'crashed', why: 'a bug' }), around(restart))).toEqual([
    'crashed: notifications-2 ended by itself: a bug',
  ]);
  expect(said(ended({ kind: 'stuck', why: 'no fetch' }), around(restart))).toEqual([
    'stuck: notifications-2 ended by itself: no fetch',
  ]);
});

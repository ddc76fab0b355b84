import { describe, expect, it } from 'vitest';
import { LEASE_S, SEND_DEADLINE_S } from '../../../../apps/notifications/src/mail/mail-worker.js';
import { CLAIMED_FOR_S } from '../observe/mails.js';
import { LONG, type Action, type Fault } from '../plan/faults.js';
import { GIVES_UP_AFTER_MS, interruptionsOf } from './interruptions.js';
import type { Happened } from './nemesis.js';

const after = 0;
const atPoint = (action: Action, ms = 0): Fault => ({
  kind: 'at-point',
  point: 'before-mark',
  service: 'notifications',
  action,
  letPass: 0,
  ms,
  afterwards: false,
  after,
});
const asked: Fault = { kind: 'asked-to-end', service: 'notifications', replica: 0, after };
const met = (fault: Fault, replica = 'notifications-1'): Happened => ({ fault, replica, from: 0, until: 1 });
const interruptions = (happened: readonly Happened[], ownEnds: readonly string[] = []) => {
  const { left, cutOff } = interruptionsOf(happened, ownEnds, 'notifications', 0);
  return { left, cutOff };
};

describe('those who send mail are interrupted', () => {
  it('where they are killed, which leaves what they did to others', () => {
    const kills = (['kill', 'kill-and-arrive-late'] as const).map((action) => met(atPoint(action)));
    expect(interruptions(kills)).toEqual({ left: 2, cutOff: 0 });
  });

  it('where they are asked to end, which cuts off what they send', () => {
    expect(interruptions([met(asked)])).toEqual({ left: 0, cutOff: 1 });
  });

  it('where they end by themselves, or stand still for longer than a notice may take', () => {
    const stands = (ms: number) => interruptions([met(atPoint('pause', ms))]);
    expect(stands(SEND_DEADLINE_S.notices * 1_000 + 1)).toEqual({ left: 1, cutOff: 1 });
    expect(stands(SEND_DEADLINE_S.notices * 1_000)).toEqual({ left: 0, cutOff: 0 });
    expect(interruptions([], ['notifications-2 ended by itself: stuck'])).toEqual({ left: 1, cutOff: 1 });
  });

  it('by no pause of a plan, which is shorter', () => {
    expect(LONG.pause).toBeLessThan(GIVES_UP_AFTER_MS);
  });

  it('by nothing that happens to others, or to their connections', () => {
    const others = [met(atPoint('kill'), 'partner-sharing-1'), met(atPoint('cut')), met(atPoint('delay', 60_000))];
    expect(interruptions(others, ['partner-sharing-1 ended by itself: stuck'])).toEqual({ left: 0, cutOff: 0 });
  });
});

describe('those who send mail forget what they have claimed', () => {
  const ms = CLAIMED_FOR_S * 1_000;
  const forgot = (those: readonly Happened[], lookedAt = 0) => {
    const { forgot: ever, forgotLately } = interruptionsOf(those, [], 'notifications', lookedAt);
    return [ever, forgotLately];
  };

  it('whatever befalls one, and both where their database does', () => {
    expect(forgot([met(atPoint('kill')), met(atPoint('cut')), met(asked)])).toEqual([3, 3]);
    expect(forgot([{ fault: { kind: 'database-restart', after }, from: 0, until: 1 }])).toEqual([2, 2]);
    expect(forgot([{ fault: { kind: 'backends-terminated', after }, from: 0, until: 1 }])).toEqual([2, 2]);
    expect(forgot([{ fault: { kind: 'broker-restart', after }, from: 0, until: 1 }])).toEqual([0, 0]);
    expect(forgot([met(atPoint('kill'), 'partner-sharing-1')])).toEqual([0, 0]);
  });

  it('so that it is claimed yet for as long as a claim holds', () => {
    expect(forgot([met(atPoint('kill'))], 1 + ms)).toEqual([1, 1]);
    expect(forgot([met(atPoint('kill'))], 2 + ms)).toEqual([1, 0]);
  });

  it('which is for longer than the service leaves it alone', () => {
    expect(CLAIMED_FOR_S).toBeGreaterThan(LEASE_S);
    expect(CLAIMED_FOR_S).toBeLessThanOrEqual(LEASE_S + 10);
  });
});

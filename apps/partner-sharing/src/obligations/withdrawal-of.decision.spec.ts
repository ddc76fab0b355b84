import { describe, expect, it } from 'vitest';
import type { Outcome } from '../release/outcome.js';
import { withdrawalOf } from './withdrawal-of.decision.js';

const held = (...names: ('companyName' | 'email')[]) =>
  names.map((name) => ({ name, version: 1, purposes: [{ purpose: 'recommendation', ground: 'permission' }] as const }));

const outcome = (kind: Outcome['kind'], holds: Outcome['holds'], before: Outcome['before']): Outcome => ({
  kind,
  version: 2,
  recordId: 'r',
  index: '1',
  at: '2026-11-23T09:00:00.000Z',
  recipient: 'northern',
  recipientName: 'Northern Hosting',
  internal: false,
  customer: 'c',
  subject: 's',
  holds,
  mailing: 'stopped',
  before,
});
const RELEASED = { state: 'released', holds: held('companyName', 'email') } as const;

describe('a recipient must delete', () => {
  it('everything when all is withdrawn', () => {
    expect(withdrawalOf(outcome('withdrawn', [], RELEASED))).toEqual({
      complete: true,
      attributes: ['companyName', 'email'],
      purposes: [],
    });
  });

  it('just the attributes that a narrower record leaves out', () => {
    expect(withdrawalOf(outcome('released', held('email'), RELEASED))).toEqual({
      complete: false,
      attributes: ['companyName'],
      purposes: [],
    });
  });

  it('nothing, but stop using, what stays for another purpose', () => {
    const both = held('companyName', 'email').map((one) => ({
      ...one,
      purposes: [...one.purposes, { purpose: 'service-delivery', ground: 'cooperation' } as const],
    }));
    expect(withdrawalOf(outcome('released', held('email'), { state: 'released', holds: both }))).toEqual({
      complete: false,
      attributes: ['companyName'],
      purposes: [{ purpose: 'service-delivery', attributes: ['email'] }],
    });
  });

  it('nothing where only the ground is another', () => {
    const cooperating = held('companyName', 'email').map((one) => ({
      ...one,
      purposes: [{ purpose: 'recommendation', ground: 'cooperation' }] as const,
    }));
    expect(withdrawalOf(outcome('released', cooperating, RELEASED))).toBeUndefined();
  });

  it('nothing when it holds as much as before, or held nothing', () => {
    expect(withdrawalOf(outcome('released', RELEASED.holds, RELEASED))).toBeUndefined();
    expect(withdrawalOf(outcome('released', held('email'), { state: 'none', holds: [] }))).toBeUndefined();
    expect(withdrawalOf(outcome('tombstone', [], { state: 'withdrawn', holds: [] }))).toBeUndefined();
  });
});

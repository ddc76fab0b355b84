import { describe, expect, it } from 'vitest';
import type { LoadedShare } from './load-shares.js';
import { planRelease, stillAllowed } from './plan-release.decision.js';

const NOW = new Date('2026-11-23T09:00:00Z');
const PERMITTED = { recommendation: 'granted' } as const;

const share = (
  over: Partial<LoadedShare> = {},
  permissions: Record<string, 'granted' | 'revoked'> = PERMITTED,
): LoadedShare => ({
  id: 's',
  customer: 'c',
  recipient: 'recommendations',
  recipientName: 'Recommendations',
  provisioned: true,
  subject: 'x',
  state: 'none',
  version: 0,
  holds: [],
  mailing: 'stopped',
  mailingCancelledAt: null,
  entry: null,
  epochs: { agreement: '0', customer: '0', share: '0' },
  customerVersion: 1,
  agreement: null,
  agreementUntil: null,
  daysToDelete: 30,
  attributes: { companyName: { version: 1, sealed: '' } },
  owesDeletion: false,
  decidedOn: null,
  facts: {
    recipient: {
      slug: 'recommendations',
      kind: 'internal',
      registeredPurposes: [{ purpose: 'recommendation', attributes: ['companyName'] }],
    },
    agreement: null,
    customer: { erased: false, door: 'service-order', purposes: ['invoicing'], held: ['companyName'] },
    permissions,
    objections: [],
  },
  ...over,
});

const HELD = [
  { name: 'companyName', version: 1, purposes: [{ purpose: 'recommendation', ground: 'permission' }] },
] as const;
const plan = (one: LoadedShare, republish = false) => planRelease(one, NOW, republish);

describe('what is published of a share', () => {
  it('is what is allowed, with the version each value was given at', () => {
    expect(plan(share())).toMatchObject({ kind: 'released', holds: HELD, mailing: 'stopped' });
  });

  it('is nothing where nothing changed, unless the last send is in doubt', () => {
    const same = share({ state: 'released', holds: HELD });
    expect(plan(same)).toBeUndefined();
    expect(plan(same, true)).toMatchObject({ kind: 'released' });
  });

  it('is a new record where a value changed', () => {
    const changed = share({ state: 'released', holds: HELD, attributes: { companyName: { version: 2, sealed: '' } } });
    expect(plan(changed)).toMatchObject({ kind: 'released', holds: [{ version: 2 }] });
  });

  it('is nothing at all where nothing is allowed and nothing is on the feed', () => {
    expect(plan(share({}, {}))).toBeUndefined();
    expect(plan(share({ state: 'ended' }, {}))).toBeUndefined();
    expect(plan(share({ facts: null }))).toBeUndefined();
    expect(plan(share({}, {}), true)).toBeUndefined();
  });

  it('is a tombstone once more where something may stand behind the one there is', () => {
    expect(plan(share({ state: 'ended' }, {}), true)).toMatchObject({ kind: 'tombstone', holds: [] });
  });

  it('is a withdrawal where nothing is allowed any more, and a tombstone once it is settled', () => {
    const revoked = { recommendation: 'revoked' } as const;
    expect(plan(share({ state: 'released', holds: HELD }, revoked))).toMatchObject({ kind: 'withdrawn', holds: [] });
    expect(plan(share({ state: 'withdrawn', owesDeletion: true }, revoked))).toBeUndefined();
    expect(plan(share({ state: 'withdrawn', owesDeletion: true }, revoked), true)).toMatchObject({ kind: 'withdrawn' });
    expect(plan(share({ state: 'withdrawn' }, revoked))).toMatchObject({ kind: 'tombstone' });
    expect(plan(share({ state: 'ended' }, revoked), true)).toMatchObject({ kind: 'tombstone' });
  });

  it('is nothing to whoever never heard of the subject, though everything is published anew', () => {
    expect(plan(share({}, {}), true)).toBeUndefined();
  });
});

describe('what was prepared', () => {
  const one = { companyName: { purposes: [{ purpose: 'recommendation', ground: 'permission' }] } } as const;
  const two = {
    companyName: { purposes: [...one.companyName.purposes, { purpose: 'security', ground: 'cooperation' }] },
  } as const;

  it('may go while all of it is allowed, whatever else is', () => {
    expect(stillAllowed(one, two)).toBe(true);
    expect(stillAllowed(two, one)).toBe(false);
    expect(stillAllowed(one, {})).toBe(false);
    expect(stillAllowed({}, {})).toBe(true);
  });
});

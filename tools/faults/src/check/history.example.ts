import type { Done, Outcome, Told } from '../history.js';
import type { Operation } from '../plan/operations.js';
import type { FeedRecord, Observed, VersionedRecord } from './observed.js';

/** A history in which everything went well, to be spoilt by specs: one customer, one change, one permission. */
export const CUSTOMER = 'customer-1';
export const SUBJECT = 'subject-1';
export const PARTNER = 's1x0000';
export const KEY = `${CUSTOMER}/${PARTNER}/recommendation`;

/** What the customer's profile says at the end. */
export const ATTRIBUTES = {
  companyName: `${PARTNER}-1`,
  registeredAddress: `${PARTNER}-1`,
  servicesUsed: `${PARTNER}-1`,
  email: `${PARTNER}-2@faults.example`,
  vatNumber: `${PARTNER}-1`,
};

type Act =
  | { kind: 'register' }
  | { kind: 'change'; attribute: 'email' }
  | { kind: 'grant' | 'revoke'; purpose: 'recommendation' };

export function done(id: number, act: Act, outcome: Outcome, told: Told = {}, invoked = id * 10): Done {
  // Sound: the parts that an operation of this kind has.
  const operation = { id, process: 0, replica: 0, slot: 0, ...act } as Operation;
  return { operation, customer: CUSTOMER, invoked, completed: invoked + 5, outcome, told };
}

export const record = (key: string, version: number, offset: number, id = `${key}@${version}`): VersionedRecord => ({
  partition: 0,
  offset,
  key,
  id,
  version,
});

export const onFeed = (version: number, offset: number, over: Partial<FeedRecord> = {}): FeedRecord => ({
  partition: 0,
  offset,
  id: `feed@${version}`,
  subject: SUBJECT,
  version,
  values: { companyName: `${PARTNER}-1`, email: `${PARTNER}-2@faults.example` },
  purposes: { companyName: ['recommendation'], email: ['recommendation'] },
  at: 1_000 + offset,
  ...over,
});

export function goodRun(over: Partial<Observed> = {}): Observed {
  return {
    operations: [
      done(1, { kind: 'register' }, 'ok', { version: 1 }),
      done(2, { kind: 'change', attribute: 'email' }, 'ok', { version: 2 }),
      done(3, { kind: 'grant', purpose: 'recommendation' }, 'ok', { version: 1 }),
    ],
    partner: PARTNER,
    run: PARTNER,
    copied: { ids: new Set(), keys: new Set() },
    strangers: [],
    finals: new Map([[CUSTOMER, { version: 2, attributes: ATTRIBUTES }]]),
    profiles: [record(CUSTOMER, 1, 0), record(CUSTOMER, 2, 1)],
    permissions: [{ ...record(KEY, 1, 0), state: 'granted' }],
    permitted: new Map([[KEY, 1]]),
    copies: new Map([[CUSTOMER, 2]]),
    shares: [{ customer: CUSTOMER, recipient: PARTNER, subject: SUBJECT, version: 1, state: 'released' }],
    partnerFeed: [onFeed(1, 0)],
    notificationsFeed: [],
    subjects: new Map(),
    withdrawals: [],
    confirmations: [],
    obligations: new Map(),
    notices: [{ id: 'notice-event', about: 'notice' }],
    mails: new Set(['notice']),
    trail: [{ place: 'customers', key: CUSTOMER, before: 1, after: 2 }],
    parked: 0,
    unsettled: [],
    unsent: new Set(),
    ...over,
  };
}

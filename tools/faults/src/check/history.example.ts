import type { Done, Outcome, Told } from '../history.js';
import type { Operation, Recipient } from '../plan/operations.js';
import { byKey } from './by-key.js';
import type { Committed, FeedRecord, Interruptions, Mail, Notice, Observed, VersionedRecord } from './observed.js';

/** A history in which everything went well, to be spoilt by specs: one customer, one change, one permission. */
export const CUSTOMER = 'customer-1';
export const SUBJECT = 'subject-1';
/** The same customer, as notifications knows it. */
export const NOTIFIED = 'notified-1';
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

export const UNINTERRUPTED: Interruptions = { left: 0, cutOff: 0, forgot: 0, forgotLately: 0 };

type Act =
  | { kind: 'register' }
  | { kind: 'change' | 'withdraw'; attribute: 'email' }
  | { kind: 'cancel' | 'terminate' }
  | { kind: 'grant' | 'revoke'; purpose: 'recommendation' | 'invoicing' | 'mailing'; recipient?: Recipient };

export function done(id: number, act: Act, outcome: Outcome, told: Told = {}, invoked = id * 10): Done {
  // Sound: the parts that an operation of this kind has.
  const operation = { id, process: 0, replica: 0, slot: 0, recipient: 'staying', ...act } as Operation;
  return { operation, customer: CUSTOMER, invoked, completed: invoked + 5, outcome, told };
}

export const record = (key: string, version: number, offset: number, id = `${key}@${version}`): VersionedRecord => ({
  topic: key.includes('/') ? 'sharing.permissions.v1' : 'customers.profiles.v1',
  partition: 0,
  offset,
  key,
  id,
  isCopy: false,
  version,
});

export const permissionFor = (key: string, version: number, state: 'granted' | 'revoked') => ({
  ...record(key, version, version),
  state,
});

export const permission = (version: number, state: 'granted' | 'revoked') => permissionFor(KEY, version, state);

export const onFeed = (version: number, offset: number, over: Partial<FeedRecord> = {}): FeedRecord => ({
  partition: 0,
  offset,
  id: `feed@${version}`,
  subject: SUBJECT,
  version,
  values: { companyName: `${PARTNER}-1`, email: `${PARTNER}-2@faults.example` },
  purposes: { companyName: ['recommendation'], email: ['recommendation'] },
  mailing: 'stopped',
  at: 35 + offset,
  ...over,
});

/** What must have been committed where these stand on their topics. */
const committedOf = (records: readonly VersionedRecord[]): Committed[] =>
  [...byKey(records, ({ id }) => id).values()].flatMap(([first]) =>
    first === undefined ? [] : [{ ...first, service: 'customer-profiles', order: first.version }],
  );

const PROFILES = [record(CUSTOMER, 1, 0), record(CUSTOMER, 2, 1)];
const PERMISSIONS = [permission(1, 'granted')];

export const WELCOME: Notice = {
  id: 'event 1',
  notice: 'welcome',
  subject: NOTIFIED,
  kind: 'welcome',
  about: undefined,
};
export const STARTED: Notice = {
  id: 'event 2',
  notice: 'started',
  subject: NOTIFIED,
  kind: 'sharing-started',
  about: `Partner ${PARTNER}`,
};
export const mailOf = (notice: string, over: Partial<Mail> = {}): Mail => ({
  id: `mail of ${notice}`,
  subject: NOTIFIED,
  notice,
  status: 'sent',
  attempts: 1,
  createdAt: 100,
  isClaimed: false,
  isInDoubt: false,
  ...over,
});

/** Where letters of a mail went that came so often. */
export const came = (times: number): string[] => Array.from({ length: times }, () => ATTRIBUTES.email);

/** Whatever is spoilt of profiles and permissions stands so on their topics; all of it was committed. */
export const onNotified = (version: number, offset: number, over: Partial<FeedRecord> = {}): FeedRecord =>
  onFeed(version, offset, {
    id: `notified@${version}`,
    subject: NOTIFIED,
    purposes: { companyName: ['notices'], email: ['notices'] },
    ...over,
  });

/** The version of a share whose feed ends so: each record is settled. */
export const lastOn = (feed: readonly FeedRecord[]): number => Math.max(1, ...feed.map(({ version }) => version ?? 0));

export function goodRun(over: Partial<Observed> = {}): Observed {
  const { profiles = PROFILES, permissions = PERMISSIONS } = over;
  const { partnerFeed = [onFeed(1, 0)], notificationsFeed = [onNotified(1, 0)] } = over;
  const [sent, notified] = [lastOn(partnerFeed), lastOn(notificationsFeed)];
  return {
    operations: [
      done(1, { kind: 'register' }, 'ok', { version: 1 }),
      done(2, { kind: 'change', attribute: 'email' }, 'ok', { version: 2 }),
      done(3, { kind: 'grant', purpose: 'recommendation' }, 'ok', { version: 1 }),
    ],
    troubled: [],
    partner: PARTNER,
    run: PARTNER,
    committed: committedOf([...PROFILES, ...PERMISSIONS, ...profiles, ...permissions]),
    delivered: [...profiles, ...permissions],
    finals: new Map([[CUSTOMER, { version: 2, attributes: ATTRIBUTES }]]),
    profiles,
    permissions,
    permitted: new Map([[KEY, { version: 1, state: 'granted' }]]),
    copies: new Map([[CUSTOMER, 2]]),
    shares: [
      { customer: CUSTOMER, recipient: PARTNER, subject: SUBJECT, lane: 7, version: sent, state: 'released' },
      {
        customer: CUSTOMER,
        recipient: 'notifications',
        subject: NOTIFIED,
        lane: 7,
        version: notified,
        state: 'released',
      },
    ],
    partnerFeed,
    leaving: [],
    aborted: [],
    entries: [],
    announcements: [],
    notificationsFeed,
    subjects: new Map([[NOTIFIED, 1]]),
    cancelled: new Set(),
    withdrawals: [],
    confirmations: [],
    obligations: [],
    notices: [WELCOME, STARTED],
    mails: [mailOf('welcome'), mailOf('started')],
    letters: new Map([
      ['mail of welcome', came(1)],
      ['mail of started', came(1)],
    ]),
    interruptions: UNINTERRUPTED,
    trail: [{ place: 'customers', key: CUSTOMER, before: 1, after: 2, at: 30 }],
    parked: [],
    unsettled: [],
    cutShort: new Set(),
    unsent: new Set(),
    ...over,
  };
}

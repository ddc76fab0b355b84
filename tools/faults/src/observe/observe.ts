import { topicsOfRecipient } from '@castiron/contracts';
import type { Obligation, Observed, Share } from '../check/observed.js';
import type { Done } from '../history.js';
import type { Cluster } from '../rig/cluster.js';
import type { Calls } from '../workload/calls.js';
import { customersOf } from '../workload/user.js';
import { customersSince, entriesSince, isSince, parkedSince, stepsSince, type Before } from './before.js';
import { finalsOf } from './finals.js';
import { lettersIn, mailsIn } from './mails.js';
import { committedSince, withoutOthers } from './outboxes.js';
import { patiently } from './patiently.js';
import type { Databases } from './databases.js';
import {
  abortedOf,
  announcement,
  confirmationsOf,
  delivered,
  feedRecord,
  noticesOf,
  stateOf,
  versioned,
  withdrawalsOf,
  type AbortedRow,
} from './records.js';
import { untilSent } from './settle.js';
import { readTopic, type Placed } from './topics.js';

const PROFILES = 'customers.profiles.v1';
const PERMISSIONS = 'sharing.permissions.v1';
/** Of the events there, what says what is permitted. */
const PERMISSION = 'sharing.permission-changed.v1';
const AGREEMENTS = 'sharing.agreements.v1';
const DISCLOSURES = 'sharing.disclosures.v1';
const MAILINGS = 'notifications.mailings.v1';
const NOTIFIER = topicsOfRecipient('notifications');

/** Topics that services read and whose records can be delivered twice; feeds are written by their lanes alone. */
export const COPYABLE = [PROFILES, MAILINGS, NOTIFIER.duties.name, NOTIFIER.replies.name];

export interface Subject {
  readonly operations: readonly Done[];
  readonly partner: string;
  /** The slugs of those that end their agreement. */
  readonly leaving: readonly string[];
  readonly run: string;
  readonly before: Before;
  readonly unsettled: readonly string[];
  readonly interruptions: Observed['interruptions'];
}

/** What stands in the services' databases. */
async function rowsOf({ databases }: Cluster, before: Before, customers: readonly string[]) {
  const [shares, copies, subjects, obligations, aborted, mails, trail, parked, permitted, cancelled] =
    await Promise.all([
      databases.query<Share & { [name: string]: unknown }>(
        'partner-sharing',
        'SELECT customer, recipient, subject, lane, version, state FROM shares WHERE customer = ANY ($1)',
        [customers],
      ),
      databases.query<{ id: string; version: number }>(
        'partner-sharing',
        'SELECT id, version FROM customers WHERE id = ANY ($1)',
        [customers],
      ),
      databases.query<{ subject: string; version: number }>('notifications', 'SELECT subject, version FROM subjects'),
      databases.query<Obligation & { [name: string]: unknown }>(
        'partner-sharing',
        `SELECT o.id, o.recipient, o.subject, o.version, o.state FROM obligations o JOIN shares s ON s.id = o.share
       WHERE s.customer = ANY ($1)`,
        [customers],
      ),
      databases.query<AbortedRow>(
        'partner-sharing',
        `SELECT s.recipient, s.subject, e.version, e.attributes, l.leaf::jsonb->>'reached' AS reached
       FROM share_entries e JOIN shares s ON s.id = e.share JOIN ledger_entries l ON l.index = e.index
       WHERE e.kind = 'aborted' AND s.customer = ANY ($1)`,
        [customers],
      ),
      mailsIn(databases),
      stepsSince(databases, before),
      parkedSince(databases, before),
      databases.query<{ key: string; version: number; state: string }>(
        'partner-sharing',
        `SELECT concat_ws('/', customer, recipient, purpose) AS key, version, state FROM permissions
       WHERE customer = ANY ($1)`,
        [customers],
      ),
      databases.query<{ subject: string }>('notifications', 'SELECT subject FROM cancellations WHERE NOT lifted'),
    ]);
  return {
    shares,
    copies: new Map(copies.map(({ id, version }) => [id, version])),
    subjects: new Map(subjects.map((row) => [row.subject, row.version])),
    cancelled: new Set(cancelled.map(({ subject }) => subject)),
    obligations,
    aborted: aborted.map(abortedOf),
    mails,
    trail,
    parked,
    permitted: new Map(permitted.map(({ key, version, state }) => [key, { version, state }])),
  };
}

const agreementsOf = (databases: Databases, recipients: readonly string[]) =>
  databases.query<{ id: string; slug: string; state: string }>(
    'partner-sharing',
    'SELECT id, recipient AS slug, state FROM agreements WHERE recipient = ANY ($1)',
    [recipients],
  );

/** Subjects of shares that an earlier run left. */
async function subjectsOfOthers(databases: Databases, customers: readonly string[]): Promise<Set<string>> {
  const rows = await databases.query<{ subject: string }>(
    'partner-sharing',
    'SELECT subject FROM shares WHERE NOT customer = ANY ($1)',
    [customers],
  );
  return new Set(rows.map(({ subject }) => subject));
}

/** Looks at everything there is to see of one run, once it has come to rest. */
export async function observe(cluster: Cluster, calls: Calls, subject: Subject): Promise<Observed> {
  const { operations, partner, leaving, before } = subject;
  const { databases } = cluster;
  const own = new Set([...customersOf(operations), ...(await customersSince(databases, before)).keys()]);
  const customers = [...own];
  // What was committed first, and its topics once all of it has been sent.
  const committed = await committedSince(databases, before);
  const entries = await entriesSince(databases, before);
  const unsent = await untilSent(databases);
  const feedOf = (slug: string): string => topicsOfRecipient(slug).feed.name;
  const recipients = ['notifications', partner, ...leaving];
  const duties = recipients.map((slug) => topicsOfRecipient(slug).duties.name);
  const written = new Set([PROFILES, PERMISSIONS, AGREEMENTS, DISCLOSURES, NOTIFIER.replies.name, ...duties]);
  for (const { topic } of committed) written.add(topic);
  const kafka = cluster.kafka();
  const read = await Promise.all(
    [...written, ...recipients.map(feedOf)].map((topic) => patiently(() => readTopic(kafka, topic))),
  );
  const since = read.flatMap(({ records }) => records.filter(isSince(before)));
  const on = (topic: string): Placed[] => since.filter((record) => record.topic === topic);
  const cutShort = read.filter(({ whole }) => !whole).map(({ topic }) => topic);
  const held = cutShort.map(
    (topic) => `${topic} is not given out to its end: a transaction stays open on it, or the broker is silent`,
  );
  const rows = await rowsOf(cluster, before, customers);
  const sent = await withoutOthers(
    databases,
    committed,
    since.filter(({ topic }) => written.has(topic)),
  );
  const others = await subjectsOfOthers(databases, customers);
  // What is of nobody stays in: nobody may be told of a subject that there is not.
  const isMine = ({ key }: Placed) => !others.has(key);
  const told = duties.flatMap(on).filter(isMine);
  return {
    ...subject,
    ...rows,
    unsettled: [...subject.unsettled, ...held],
    cutShort: new Set(cutShort),
    committed,
    delivered: sent.map(delivered),
    unsent,
    finals: await finalsOf(cluster, calls, customers),
    profiles: on(PROFILES)
      .filter(({ key }) => own.has(key))
      .map(versioned),
    permissions: on(PERMISSIONS)
      .filter(({ type, key }) => type === PERMISSION && own.has(key.split('/')[0] ?? ''))
      .map(versioned),
    entries,
    announcements: on(DISCLOSURES)
      .map(announcement)
      .filter(({ index }) => index >= before.entries),
    partnerFeed: on(feedOf(partner)).map(feedRecord),
    notificationsFeed: on(feedOf('notifications')).filter(isMine).map(feedRecord),
    leaving: (await agreementsOf(databases, leaving)).map(({ id, slug, state }) => ({
      slug,
      state,
      // It may have been told of before the run began.
      told: stateOf(
        read.flatMap(({ records }) => records).findLast(({ topic, key }) => topic === AGREEMENTS && key === id),
      ),
      feed: on(feedOf(slug)).map(feedRecord),
    })),
    withdrawals: withdrawalsOf(told),
    confirmations: confirmationsOf(on(NOTIFIER.replies.name).filter(isMine)),
    notices: noticesOf(told),
    letters: await lettersIn(cluster.stack.mail.api),
    troubled: calls.troubled,
  };
}

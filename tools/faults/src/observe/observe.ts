import { topicsOfRecipient } from '@castiron/contracts';
import type { FeedRecord, Observed, OnceEvent, Share, Step, VersionedRecord } from '../check/observed.js';
import type { Done } from '../history.js';
import type { Calls } from '../workload/calls.js';
import { customersOf } from '../workload/user.js';
import type { Cluster } from '../rig/cluster.js';
import { SERVICES, type Service } from '../plan/faults.js';
import type { Databases } from './databases.js';
import { patiently } from './patiently.js';
import { readTopic, type Placed } from './topics.js';
import { unsent } from './settle.js';

const PROFILES = 'customers.profiles.v1';
const PERMISSIONS = 'sharing.permissions.v1';
/** Services that park what they cannot handle. */
const READERS = ['partner-sharing', 'notifications'] as const;
const NOTIFIER = topicsOfRecipient('notifications');

/** Topics whose records can be delivered twice; feeds are written by their lanes alone. */
export const COPYABLE = [PROFILES, NOTIFIER.duties.name];

export interface Subject {
  readonly operations: readonly Done[];
  readonly partner: string;
  readonly run: string;
  readonly copied: Observed['copied'];
  /** Where each topic ended when the run began. */
  readonly from: Beginnings;
  readonly before: Before;
  readonly unsettled: readonly string[];
}

/** What earlier runs left in the databases of a stack that is kept. */
export interface Before {
  /** By service: where its trail ended. */
  readonly trail: ReadonlyMap<Service, number>;
  /** Messages that were parked, by service and number. */
  readonly parked: ReadonlySet<string>;
}

const trailOf = (databases: Databases, service: Service) =>
  databases.query<Step & { n: string }>(service, 'SELECT n, place, key, before, after FROM faults_trail ORDER BY n');

async function parkedIds(databases: Databases): Promise<string[]> {
  const rows = await Promise.all(
    READERS.map((service) =>
      databases.query<{ id: string }>(service, `SELECT id FROM parked_messages WHERE state = 'parked'`),
    ),
  );
  return rows.flatMap((own, at) => own.map(({ id }) => `${READERS[at]} ${id}`));
}

export async function before(databases: Databases): Promise<Before> {
  const trails = await Promise.all(SERVICES.map((service) => trailOf(databases, service)));
  return {
    trail: new Map(SERVICES.map((service, at) => [service, Number(trails[at]?.at(-1)?.n ?? 0)])),
    parked: new Set(await parkedIds(databases)),
  };
}

/** Topic and partition to the first offset of a run. */
export type Beginnings = ReadonlyMap<string, number>;

export async function beginnings(cluster: Cluster, topics: readonly string[]): Promise<Beginnings> {
  const admin = cluster.kafka().admin();
  const endsOf = async (topic: string) =>
    (await admin.endOffsets(topic)).map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const);
  try {
    return new Map((await Promise.all(topics.map((topic) => patiently(() => endsOf(topic))))).flat());
  } finally {
    await admin.close();
  }
}

export const topicsOf = (partner: string): readonly string[] => [
  PROFILES,
  PERMISSIONS,
  NOTIFIER.feed.name,
  NOTIFIER.duties.name,
  NOTIFIER.replies.name,
  topicsOfRecipient(partner).feed.name,
];

export const isSince =
  (from: Beginnings) =>
  ({ topic, partition, offset }: Placed): boolean =>
    offset >= (from.get(`${topic}/${partition}`) ?? 0);

const dataOf = (record: Placed): Record<string, unknown> => JSON.parse(record.value ?? '{}') as Record<string, unknown>;

const versioned = (record: Placed): VersionedRecord & { state: string } => {
  const data = dataOf(record);
  return {
    partition: record.partition,
    offset: record.offset,
    key: record.key,
    id: record.id,
    version: Number(data['version']),
    state: String(data['state']),
  };
};

function feedRecord(record: Placed): FeedRecord {
  const data = dataOf(record);
  const attributes = (data['attributes'] ?? {}) as Record<string, { value?: string; purposes: { purpose: string }[] }>;
  return {
    partition: record.partition,
    offset: record.offset,
    id: record.id,
    subject: record.key,
    version: record.value === null ? null : Number(data['version']),
    values: Object.fromEntries(Object.entries(attributes).map(([name, { value }]) => [name, value])),
    purposes: Object.fromEntries(
      Object.entries(attributes).map(([name, { purposes }]) => [name, purposes.map(({ purpose }) => purpose)]),
    ),
    at: record.at,
  };
}

const onceEvents = (records: readonly Placed[], type: string, about: string): OnceEvent[] =>
  records
    .filter((record) => record.type === type)
    .map((record) => ({ id: record.id, about: String(dataOf(record)[about]) }));

async function finalsOf(cluster: Cluster, calls: Calls, customers: readonly string[]): Promise<Observed['finals']> {
  const [replica] = cluster.replicasOf('customer-profiles');
  const read = async (customer: string) => {
    for (let attempt = 0; ; attempt += 1) {
      const reply = await calls.call({
        method: 'GET',
        url: `${replica?.url}/customers/${customer}`,
        as: ['customer', customer],
      });
      if (reply.kind === 'answer' && reply.status === 200) {
        return [
          customer,
          { version: Number(reply.body['version']), attributes: reply.body['attributes'] as Record<string, string> },
        ] as const;
      }
      // An acknowledged customer that is not there at all.
      if (reply.kind === 'answer' && reply.status === 404) return [customer, { version: 0, attributes: {} }] as const;
      if (attempt === 5) throw new Error(`the profile of ${customer} cannot be read: ${JSON.stringify(reply)}`);
    }
  };
  return new Map(await Promise.all(customers.map(read)));
}

/** Looks at everything there is to see of one run, once it has come to rest. */
export async function observe(cluster: Cluster, calls: Calls, subject: Subject): Promise<Observed> {
  const { operations, partner, from } = subject;
  const { databases } = cluster;
  const customers = customersOf(operations);
  const own = new Set(customers);
  const kafka = cluster.kafka();
  const since = isSince(from);
  const read = await Promise.all(topicsOf(partner).map((topic) => patiently(() => readTopic(kafka, topic))));
  const [profiles = [], permissions = [], feed = [], duties = [], replies = [], partnerFeed = []] = read.map(
    ({ records }) => records.filter(since),
  );
  const held = read.filter(({ whole }) => !whole).map(({ topic }) => `a transaction stays open on ${topic}`);
  const [shares, copies, subjects, obligations, mails, trails, parked, permitted, finals, unsentBy] = await Promise.all(
    [
      databases.query<Share & { [name: string]: unknown }>(
        'partner-sharing',
        'SELECT customer, recipient, subject, version, state FROM shares WHERE customer = ANY ($1)',
        [customers],
      ),
      databases.query<{ id: string; version: number }>(
        'partner-sharing',
        'SELECT id, version FROM customers WHERE id = ANY ($1)',
        [customers],
      ),
      databases.query<{ subject: string; version: number }>('notifications', 'SELECT subject, version FROM subjects'),
      databases.query<{ id: string; state: string }>(
        'partner-sharing',
        'SELECT o.id, o.state FROM obligations o JOIN shares s ON s.id = o.share WHERE s.customer = ANY ($1)',
        [customers],
      ),
      databases.query<{ notice: string }>('notifications', 'SELECT notice FROM mails WHERE notice IS NOT NULL'),
      Promise.all(
        SERVICES.map(async (service) =>
          (await trailOf(databases, service)).filter(({ n }) => Number(n) > (subject.before.trail.get(service) ?? 0)),
        ),
      ),
      parkedIds(databases),
      databases.query<{ key: string; version: number }>(
        'partner-sharing',
        `SELECT concat_ws('/', customer, recipient, purpose) AS key, version FROM permissions WHERE customer = ANY ($1)`,
        [customers],
      ),
      finalsOf(cluster, calls, customers),
      unsent(databases),
    ],
  );
  const notified = new Set(
    shares.filter(({ recipient }) => recipient === 'notifications').map((share) => share.subject),
  );
  const isMine = ({ key }: Placed) => notified.has(key);
  const unanswered = operations.filter(
    ({ operation, outcome }) => operation.kind === 'register' && outcome === 'info',
  ).length;
  const strangers = [...new Set(profiles.filter(({ key }) => !own.has(key)).map(({ key }) => key))];
  return {
    ...subject,
    unsettled: [...subject.unsettled, ...held],
    strangers:
      strangers.length > unanswered
        ? [
            `${strangers.length} customers are on ${PROFILES} that nobody here registered, and only ${unanswered} registrations had no answer`,
          ]
        : [],
    finals,
    profiles: profiles.filter(({ key }) => own.has(key)).map(versioned),
    permissions: permissions.filter(({ key }) => own.has(key.split('/')[0] ?? '')).map(versioned),
    copies: new Map(copies.map(({ id, version }) => [id, version])),
    shares,
    partnerFeed: partnerFeed.map(feedRecord),
    notificationsFeed: feed.filter(isMine).map(feedRecord),
    subjects: new Map(subjects.map((row) => [row.subject, row.version])),
    withdrawals: onceEvents(duties.filter(isMine), 'duties.withdrawal-due.v1', 'obligation'),
    confirmations: onceEvents(replies.filter(isMine), 'replies.withdrawal-confirmed.v1', 'obligation'),
    obligations: new Map(obligations.map(({ id, state }) => [id, state])),
    notices: onceEvents(duties.filter(isMine), 'duties.notice-due.v1', 'notice'),
    mails: new Set(mails.map(({ notice }) => notice)),
    trail: trails.flat(),
    parked: parked.filter((id) => !subject.before.parked.has(id)).length,
    permitted: new Map(permitted.map(({ key, version }) => [key, version])),
    unsent: unsentBy,
  };
}

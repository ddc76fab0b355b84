import type { LedgerEntry, Step } from '../check/observed.js';
import { SERVICES, type Service } from '../plan/faults.js';
import type { Cluster } from '../rig/cluster.js';
import type { Databases } from './databases.js';
import { patiently } from './patiently.js';
import type { Placed } from './topics.js';

/** Services that park what they cannot handle. */
const READERS = ['partner-sharing', 'notifications'] as const;

/** What earlier runs left on a stack that is kept. */
export interface Before {
  /** Topic and partition to the first offset of the run. */
  readonly ends: ReadonlyMap<string, number>;
  /** By service: where its trail ended, and its outbox. */
  readonly trail: ReadonlyMap<Service, number>;
  readonly committed: ReadonlyMap<Service, number>;
  /** And what it had parked. */
  readonly parked: ReadonlyMap<Service, number>;
  /** How many entries the ledger had. */
  readonly entries: number;
  readonly customers: ReadonlySet<string>;
  /** Mails that were made of notices. */
  readonly mails: number;
}

export const isSince =
  ({ ends }: Before) =>
  ({ topic, partition, offset }: Placed): boolean =>
    offset >= (ends.get(`${topic}/${partition}`) ?? 0);

export async function before(cluster: Cluster): Promise<Before> {
  const { databases } = cluster;
  // First, so that nothing that was committed after what follows stands in front of them.
  const ends = await endsOf(cluster);
  const lastOf = async (text: string, services: readonly Service[] = SERVICES): Promise<Map<Service, number>> => {
    const rows = await Promise.all(services.map((service) => databases.query<{ n: string }>(service, text)));
    return new Map(services.map((service, at) => [service, Number(rows[at]?.[0]?.n ?? 0)]));
  };
  return {
    ends,
    trail: await lastOf('SELECT coalesce(max(n), 0) AS n FROM faults_trail'),
    committed: await lastOf('SELECT coalesce(max(id), 0) AS n FROM faults_outbox'),
    parked: await lastOf('SELECT coalesce(max(id), 0) AS n FROM parked_messages', READERS),
    entries: await sizeOfLedger(databases),
    mails: await mailsOfNotices(databases),
    customers: new Set((await customersIn(databases)).keys()),
  };
}

async function endsOf(cluster: Cluster): Promise<Map<string, number>> {
  const admin = cluster.kafka().admin();
  const one = async (topic: string) =>
    (await admin.endOffsets(topic)).map(({ partition, offset }) => [`${topic}/${partition}`, Number(offset)] as const);
  try {
    const topics = (await patiently(() => admin.topicNames())).filter((topic) => !topic.startsWith('__'));
    return new Map((await Promise.all(topics.map((topic) => patiently(() => one(topic))))).flat());
  } finally {
    await admin.close();
  }
}

/** Messages that were parked since, also those that a later record has done away with. */
export async function parkedSince(databases: Databases, { parked }: Before): Promise<string[]> {
  const rows = await Promise.all(
    READERS.map((service) =>
      databases.query<{ what: string }>(
        service,
        `SELECT concat_ws(' ', topic, position, reason, ended_reason) AS what FROM parked_messages WHERE id > $1 ORDER BY id`,
        [parked.get(service) ?? 0],
      ),
    ),
  );
  return rows.flatMap((own, at) => own.map(({ what }) => `${READERS[at]} parked ${what}`));
}

async function customersIn(databases: Databases): Promise<Map<string, number>> {
  const rows = await databases.query<{ id: string; version: number }>(
    'customer-profiles',
    'SELECT id, version FROM customers',
  );
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/** The customers that came to be since, whether or not anybody was told, and the versions of their profiles. */
export async function customersSince(
  databases: Databases,
  { customers }: Pick<Before, 'customers'>,
): Promise<Map<string, number>> {
  return new Map([...(await customersIn(databases))].filter(([id]) => !customers.has(id)));
}

async function sizeOfLedger(databases: Databases): Promise<number> {
  const [row] = await databases.query<{ n: number }>('partner-sharing', 'SELECT size::int AS n FROM ledger_head');
  return row?.n ?? 0;
}

/** Entries that the ledger got since, as far as they are announced by partner-sharing's word. */
export const entriesSince = (databases: Databases, { entries }: Before): Promise<LedgerEntry[]> =>
  databases.query<LedgerEntry & { [name: string]: unknown }>(
    'partner-sharing',
    `SELECT index::int, id, recipient FROM ledger_entries, disclosure_cursor
      WHERE index >= $1 AND index < next_index ORDER BY index`,
    [entries],
  );

async function mailsOfNotices(databases: Databases): Promise<number> {
  const [row] = await databases.query<{ n: number }>(
    'notifications',
    'SELECT count(*)::int AS n FROM mails WHERE notice IS NOT NULL',
  );
  return row?.n ?? 0;
}

/** Notices that were committed since, and have not become mails. */
export async function noticesWithoutMail(databases: Databases, { committed, mails }: Before): Promise<number> {
  const [row] = await databases.query<{ n: number }>(
    'partner-sharing',
    `SELECT count(*)::int AS n FROM faults_outbox WHERE id > $1 AND type = 'duties.notice-due.v1'`,
    [committed.get('partner-sharing') ?? 0],
  );
  return (row?.n ?? 0) - ((await mailsOfNotices(databases)) - mails);
}

/** The versions that consumers' rows went through since. */
export async function stepsSince(databases: Databases, { trail }: Before): Promise<Step[]> {
  const steps = await Promise.all(
    SERVICES.map((service) =>
      databases.query<Step & { [name: string]: unknown }>(
        service,
        'SELECT place, key, before, after, (extract(epoch FROM at) * 1000)::float8 AS at FROM faults_trail WHERE n > $1 ORDER BY n',
        [trail.get(service) ?? 0],
      ),
    ),
  );
  return steps.flat();
}

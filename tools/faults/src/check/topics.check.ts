import type { Done } from '../history.js';
import type { Anomaly, Observed, VersionedRecord } from './observed.js';

const byKey = <T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
};

/** First deliveries: each event where it stands first on its partition; what follows are copies. */
function firstDeliveries(records: readonly VersionedRecord[]): VersionedRecord[] {
  const seen = new Set<string>();
  return records.filter(({ id }) => !seen.has(id) && seen.add(id));
}

/** Order and number of events on a topic with versions per key. */
function checkVersions(topic: string, records: readonly VersionedRecord[], copiedKeys: ReadonlySet<string>): Anomaly[] {
  const found: Anomaly[] = [];
  for (const [key, all] of byKey(records, (record) => record.key)) {
    let last = 0;
    const ids = new Map<number, string>();
    for (const { version, id, offset, partition } of firstDeliveries(all)) {
      const at = `${topic} ${key} v${version} at ${partition}/${offset}`;
      const other = ids.get(version);
      if (other !== undefined)
        found.push({ kind: 'duplicated', what: `${at}: two events, ${other} and ${id}, say the same version` });
      else if (version < last) found.push({ kind: 'reordered', what: `${at} came after v${last}` });
      ids.set(version, id);
      last = Math.max(last, version);
    }
    const end = all.at(-1);
    // Compaction keeps the last record: a late copy of an older one would be all that is left.
    if (end !== undefined && end.version < last && !copiedKeys.has(key)) {
      found.push({
        kind: 'stale-last',
        what: `${topic} ${key}: the last record says v${end.version}, the newest is v${last}`,
      });
    }
  }
  return found;
}

/** The version that an acknowledged operation made. */
const made = ({ outcome, told }: Done): number | undefined => (outcome === 'ok' ? told.version : undefined);

function missing(
  observed: Observed,
  service: string,
  topic: string,
  operations: readonly (Done & { key: string })[],
  records: readonly VersionedRecord[],
): Anomaly[] {
  const there = new Set(records.map(({ key, version }) => `${key} v${version}`));
  return operations.flatMap((done) => {
    const version = made(done);
    const name = `${done.key} v${version}`;
    if (version === undefined || there.has(name)) return [];
    // Still in the outbox, it may yet come: then it is late without end. Gone from there, it never will.
    const kind = observed.unsent.has(service) ? 'stuck' : 'lost';
    return [
      { kind, what: `${done.operation.kind} ${done.operation.id} was acknowledged, but ${name} is not on ${topic}` },
    ] satisfies Anomaly[];
  });
}

/** Every version of a key is told of, and each is one higher than the last: those whose answer was lost, too. */
function gaps(
  observed: Observed,
  service: string,
  topic: string,
  newest: ReadonlyMap<string, number>,
  records: readonly VersionedRecord[],
): Anomaly[] {
  const there = new Set(records.map(({ key, version }) => `${key} v${version}`));
  const kind = observed.unsent.has(service) ? 'stuck' : 'lost';
  return [...newest].flatMap(([key, last]) =>
    Array.from({ length: last }, (_, n) => `${key} v${n + 1}`)
      .filter((name) => !there.has(name))
      .map((name): Anomaly => ({ kind, what: `${key} stands at v${last}, but ${name} is not on ${topic}` })),
  );
}

/** What a permission's event says is what was asked for. */
function untrue(operations: readonly (Done & { key: string })[], { permissions }: Observed): Anomaly[] {
  const states = new Map(permissions.map(({ key, version, state }) => [`${key} v${version}`, state]));
  return operations.flatMap((done): Anomaly[] => {
    const name = `${done.key} v${made(done)}`;
    const said = states.get(name);
    const meant = done.operation.kind === 'grant' ? 'granted' : 'revoked';
    if (said === undefined || said === meant) return [];
    return [{ kind: 'wrong', what: `${name} is told as ${said}, and ${meant} was acknowledged` }];
  });
}

/** Each key has at most as many versions as somebody may have made. */
function invented(
  topic: string,
  operations: readonly (Done & { key: string })[],
  records: readonly VersionedRecord[],
): Anomaly[] {
  const possible = new Map<string, number>();
  for (const { key, outcome } of operations) if (outcome !== 'fail') possible.set(key, (possible.get(key) ?? 0) + 1);
  return [...byKey(records, ({ key }) => key)].flatMap(([key, all]) => {
    const highest = Math.max(...all.map(({ version }) => version));
    const most = possible.get(key) ?? 0;
    return highest > most
      ? [{ kind: 'invented', what: `${topic} ${key} has v${highest}, but only ${most} changes were asked for` }]
      : [];
  });
}

/** What producers did: everything acknowledged is on its topic, once, in order, and nothing else is. */
export function checkTopics(observed: Observed): Anomaly[] {
  const { operations, partner, profiles, permissions, copied, finals, permitted } = observed;
  const newest = new Map([...finals].map(([customer, { version }]) => [customer, version]));
  const known = operations.filter((done): done is Done & { customer: string } => done.customer !== undefined);
  const ofProfiles = known
    .filter(({ operation }) => ['register', 'change', 'withdraw'].includes(operation.kind))
    .map((done) => ({ ...done, key: done.customer }));
  const ofPermissions = known.flatMap((done) =>
    'purpose' in done.operation ? [{ ...done, key: `${done.customer}/${partner}/${done.operation.purpose}` }] : [],
  );
  return [
    ...missing(observed, 'customer-profiles', 'customers.profiles.v1', ofProfiles, profiles),
    ...missing(observed, 'partner-sharing', 'sharing.permissions.v1', ofPermissions, permissions),
    ...gaps(observed, 'customer-profiles', 'customers.profiles.v1', newest, profiles),
    ...gaps(observed, 'partner-sharing', 'sharing.permissions.v1', permitted, permissions),
    ...untrue(ofPermissions, observed),
    ...checkVersions('customers.profiles.v1', profiles, copied.keys),
    ...checkVersions('sharing.permissions.v1', permissions, copied.keys),
    ...invented('customers.profiles.v1', ofProfiles, profiles),
    ...invented('sharing.permissions.v1', ofPermissions, permissions),
    ...observed.strangers.map((what): Anomaly => ({ kind: 'invented', what })),
  ];
}

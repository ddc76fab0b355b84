import type { Done } from '../history.js';
import { byKey } from './by-key.js';
import type { Anomaly, Observed, VersionedRecord } from './observed.js';
import { firstDeliveries } from './outbox.check.js';
import { isPermitting, keyOf } from './permissions.check.js';

/** Order and number of events on a topic with versions per key. */
function checkVersions(topic: string, records: readonly VersionedRecord[]): Anomaly[] {
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
    // Compaction keeps the last record: a late copy of an older one would be all that is left.
    const end = all.findLast(({ isCopy }) => !isCopy);
    if (end !== undefined && end.version < last) {
      found.push({
        kind: 'stale-last',
        what: `${topic} ${key}: the last record says v${end.version}, the newest is v${last}`,
      });
    }
  }
  return found;
}

/** Each key has every version up to the one at which it stands, those included of which nobody was told. */
function checkWhole(
  { unsent }: Observed,
  service: string,
  topic: string,
  newest: ReadonlyMap<string, number>,
  records: readonly VersionedRecord[],
): Anomaly[] {
  const there = new Set(records.map(({ key, version }) => `${key} v${version}`));
  const kind = unsent.has(service) ? 'stuck' : 'lost';
  return [...newest].flatMap(([key, last]) =>
    Array.from({ length: last }, (_, n) => `${key} v${n + 1}`)
      .filter((name) => !there.has(name))
      .map((name): Anomaly => ({ kind, what: `${key} stands at v${last}, but ${name} is not on ${topic}` })),
  );
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

/** What producers told of each version: all of them, once, in order, and nothing else. */
export function checkTopics(observed: Observed): Anomaly[] {
  const { operations, run, profiles, permissions, finals, permitted } = observed;
  const known = operations.filter((done): done is Done & { customer: string } => done.customer !== undefined);
  const ofProfiles = known
    .filter(({ operation }) => ['register', 'change', 'withdraw'].includes(operation.kind))
    .map((done) => ({ ...done, key: done.customer }));
  const ofPermissions = known.filter(isPermitting).map((done) => ({ ...done, key: keyOf(done, run) }));
  const versionsOf = (standing: ReadonlyMap<string, { version: number }>) =>
    new Map([...standing].map(([key, { version }]) => [key, version]));
  return [
    ...checkWhole(observed, 'customer-profiles', 'customers.profiles.v1', versionsOf(finals), profiles),
    ...checkWhole(observed, 'partner-sharing', 'sharing.permissions.v1', versionsOf(permitted), permissions),
    ...checkVersions('customers.profiles.v1', profiles),
    ...checkVersions('sharing.permissions.v1', permissions),
    ...invented('customers.profiles.v1', ofProfiles, profiles),
    ...invented('sharing.permissions.v1', ofPermissions, permissions),
  ];
}

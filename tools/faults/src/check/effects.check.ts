import type { Anomaly, Observed } from './observed.js';

/** Something missing behind which later things arrived was passed over; with nothing behind it, it may still come. */
function missingEffects(
  name: string,
  wanted: readonly { key: string; version: number; partition: number; offset: number }[],
  reached: (key: string) => number | undefined,
): Anomaly[] {
  const newest = new Map(wanted.map((record) => [record.key, record]));
  for (const record of wanted)
    if (record.version >= (newest.get(record.key)?.version ?? 0)) newest.set(record.key, record);
  const isThere = ({ key, version }: { key: string; version: number }) => (reached(key) ?? 0) >= version;
  const furthest = new Map<number, number>();
  for (const record of newest.values())
    if (isThere(record)) furthest.set(record.partition, Math.max(furthest.get(record.partition) ?? -1, record.offset));
  return [...newest.values()].flatMap((record) => {
    if (isThere(record)) return [];
    const passed = (furthest.get(record.partition) ?? -1) > record.offset;
    const what = `${name}: ${record.key} stands at v${reached(record.key) ?? 0}, v${record.version} is on the topic at ${record.partition}/${record.offset}`;
    return [{ kind: passed ? 'lost' : 'stuck', what }] satisfies Anomaly[];
  });
}

/** What consumers did: everything on a topic took effect, once, and no state went back. */
export function checkEffects(observed: Observed): Anomaly[] {
  const { profiles, copies, finals, notificationsFeed, subjects, trail } = observed;
  const feed = notificationsFeed.flatMap(({ subject, version, partition, offset }) =>
    version === null ? [] : [{ key: subject, version, partition, offset }],
  );
  return [
    ...missingEffects('partner-sharing', profiles, (customer) => copies.get(customer)),
    ...missingEffects('notifications', feed, (subject) => subjects.get(subject)),
    ...[...copies].flatMap(([customer, version]): Anomaly[] => {
      const most = finals.get(customer)?.version;
      return most !== undefined && version > most
        ? [{ kind: 'invented', what: `partner-sharing has v${version} of ${customer}, whose profile is at v${most}` }]
        : [];
    }),
    ...trail
      .filter(({ before, after }) => before !== null && after < before)
      .map(({ place, key, before, after }): Anomaly => ({
        kind: 'reordered',
        what: `${place} ${key} went back from v${before} to v${after}`,
      })),
    ...observed.parked.map((what): Anomaly => ({ kind: 'wrong', what: `${what}, which is not broken` })),
  ];
}

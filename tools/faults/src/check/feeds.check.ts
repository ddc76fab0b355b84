import { attributesOf } from '@castiron/contracts';
import { PURPOSES } from '../plan/operations.js';
import { carries, customersBy, lastOf, type CustomerOf } from './feed-records.js';
import type { Anomaly, FeedRecord, Observed } from './observed.js';
import { writerOf, writersIn } from './writers.js';

/** Of the records that were tried, the part that is on its feed at least: six in ten where the machine was busiest. */
const PART_SENT = 0.55;

/** What is listed for a purpose: in partners' agreements, and for whoever sends mail for us. */
const LISTED: Readonly<Record<string, readonly string[]>> = {
  ...PURPOSES,
  notices: attributesOf('notices'),
  mailing: attributesOf('mailing'),
};

/** A partner, and what stands on its feed. */
interface Receiving {
  readonly slug: string;
  readonly feed: readonly FeedRecord[];
  readonly isAgreed: boolean;
}

/** Each committed record once, versions rising. */
function checkOrder(name: string, records: readonly FeedRecord[]): Anomaly[] {
  const found: Anomaly[] = [];
  const ids = new Set<string>();
  const last = new Map<string, number>();
  for (const { subject, version, id, partition, offset } of records) {
    const at = `${name} ${subject} at ${partition}/${offset}`;
    if (ids.has(id)) found.push({ kind: 'duplicated', what: `${at}: the event ${id} stands there twice` });
    ids.add(id);
    if (version === null) continue;
    const before = last.get(subject) ?? 0;
    if (version === before) found.push({ kind: 'duplicated', what: `${at}: v${version} stands there twice` });
    else if (version < before) found.push({ kind: 'reordered', what: `${at}: v${version} came after v${before}` });
    last.set(subject, Math.max(before, version));
  }
  return found;
}

/** Each version of what somebody holds is on its feed, or was aborted, and not both where the ledger says that it is not. */
function checkVersions({ shares, partner, partnerFeed, notificationsFeed, leaving, aborted }: Observed): Anomaly[] {
  const nameOf = ({ subject, version }: { subject: string; version: number | null }): string =>
    `${subject} v${version}`;
  const feeds = [partnerFeed, notificationsFeed, ...leaving.map(({ feed }) => feed)];
  const there = new Set(feeds.flatMap((feed) => feed.map(nameOf)));
  const gone = new Map(aborted.map((one) => [nameOf(one), one.reached]));
  // By recipient: of a share that nothing came of, its feed does not know the subject.
  const read = new Set([partner, 'notifications', ...leaving.map(({ slug }) => slug)]);
  return shares
    .filter(({ recipient }) => read.has(recipient))
    .flatMap(({ subject, recipient, version: last }) =>
      Array.from({ length: last }, (_, n) => nameOf({ subject, version: n + 1 })).flatMap((name): Anomaly[] => {
        if (there.has(name) !== gone.has(name) || gone.get(name) === 'maybe') return [];
        return there.has(name)
          ? [{ kind: 'wrong', what: `${name} was aborted, and is on the feed of ${recipient}` }]
          : [{ kind: 'lost', what: `${name} is not on the feed of ${recipient}, and was not aborted` }];
      }),
    );
}

/** No feed is ahead of what its recipient is known to hold; a record that is not settled yet is, by one. */
function checkAhead({ shares, unsettled }: Observed, slug: string, feed: readonly FeedRecord[]): Anomaly[] {
  const standing = new Map(
    shares.filter(({ recipient }) => recipient === slug).map(({ subject, version }) => [subject, version]),
  );
  return feed.flatMap(({ subject, version, partition, offset }): Anomaly[] => {
    const last = standing.get(subject) ?? 0;
    if (version === null || version <= last) return [];
    const what = `feed of ${slug} ${subject} at ${partition}/${offset}: v${version} stands there, and the share is at v${last}`;
    return [{ kind: unsettled.length > 0 ? 'stuck' : 'invented', what }];
  });
}

/** How many records of feeds were tried. */
export const triedOf = ({ partnerFeed, notificationsFeed, leaving, aborted }: Observed): number =>
  [partnerFeed, notificationsFeed, ...leaving.map(({ feed }) => feed), aborted].flat().length;

/**
 * A batch is aborted where its owner is interrupted; short leases on a busy machine change hands often too. More than that
 * are of somebody who tries in vain each time, and sends at the second try.
 */
function checkAborted(observed: Observed): Anomaly[] {
  const { length } = observed.aborted;
  const tried = triedOf(observed);
  if (tried - length >= tried * PART_SENT) return [];
  return [{ kind: 'wrong', what: `${length} of ${tried} records were aborted` }];
}

/** What stands on the feed at the end is what may: the last values, for the purposes that are permitted. */
function checkEnd(
  { finals, permitted, shares, unsettled }: Observed,
  { slug, feed, isAgreed }: Receiving,
  customerOf: CustomerOf,
): Anomaly[] {
  const last = lastOf(feed, customerOf);
  return [...finals].flatMap(([customer, { attributes }]) => {
    const record = last.get(customer);
    const pairs = Object.entries(PURPOSES).flatMap(([purpose, names]) => names.map((name) => ({ purpose, name })));
    return pairs.flatMap(({ purpose, name }): Anomaly[] => {
      const isPermitted = isAgreed && permitted.get(`${customer}/${slug}/${purpose}`)?.state === 'granted';
      const there = record?.purposes[name]?.includes(purpose) === true ? record.values[name] : undefined;
      const wanted = isPermitted ? attributes[name] : undefined;
      if (there === wanted) return [];
      const share = shares.find((one) => one.customer === customer && one.recipient === slug);
      const what = `the last record of ${customer} on the feed of ${slug} (v${record?.version ?? 0}, share v${share?.version ?? 0}) has ${name} for ${purpose}: ${there ?? 'no'}; it should be ${wanted ?? 'no'}`;
      return [{ kind: unsettled.length > 0 ? 'stuck' : 'lost', what }];
    });
  });
}

/** Whoever sends mail for us ends with what it needs for notices as it stands, and with nothing else. */
function checkNotified(observed: Observed, customerOf: CustomerOf): Anomaly[] {
  const { notificationsFeed, finals, unsettled } = observed;
  const last = lastOf(notificationsFeed, customerOf);
  return [...finals].flatMap(([customer, { attributes }]) => {
    const { values = {}, version = 0 } = last.get(customer) ?? {};
    const names = new Set([...attributesOf('notices'), ...Object.keys(values)]);
    return [...names]
      .map((name) => ({
        name,
        there: values[name],
        wanted: (attributesOf('notices') as string[]).includes(name) ? attributes[name] : undefined,
      }))
      .filter(({ there, wanted }) => there !== wanted)
      .map(({ name, there, wanted }): Anomaly => ({
        kind: unsettled.length > 0 ? 'stuck' : 'lost',
        what: `the feed of notifications ends with ${name} = ${there ?? 'none'} of ${customer} (v${version}); it should be ${wanted ?? 'none'}`,
      }));
  });
}

/** Attributes that the customer has no value of: the record carries others for a purpose that these are listed for too. */
const withoutValue = ({ values, purposes }: FeedRecord): string[] =>
  [...new Set(Object.values(purposes).flat())]
    .flatMap((purpose) => LISTED[purpose] ?? [])
    .filter((attribute) => values[attribute] === undefined);

/**
 * A customer's values only get newer: who is a recipient is never sent back to what another has overwritten, nor to what was
 * withdrawn.
 */
function checkWriters({ run }: Observed, name: string, feed: readonly FeedRecord[]): Anomaly[] {
  const last = new Map<string, number>();
  const gone = new Set<string>();
  return feed.flatMap((record) => {
    const { subject, version, values, partition, offset } = record;
    for (const attribute of withoutValue(record)) gone.add(`${subject} ${attribute}`);
    return Object.entries(values).flatMap(([attribute, value]): Anomaly[] => {
      const key = `${subject} ${attribute}`;
      const writer = writerOf(run, value);
      const before = last.get(key) ?? -1;
      const isBack = gone.delete(key) && writer === before;
      if (writer >= before) last.set(key, writer);
      if (!(writer < before) && !isBack) return [];
      const than = isBack ? 'that was withdrawn' : `it had that by ${before}`;
      const what = `${name} ${subject} v${version} at ${partition}/${offset} has ${attribute} by ${writer}, after ${than}`;
      return [{ kind: 'reordered', what }];
    });
  });
}

/** What a record says of mailings is what it carries attributes for: who mails goes by its word. */
function checkMailing(name: string, feed: readonly FeedRecord[]): Anomaly[] {
  return feed
    .filter(({ version }) => version !== null)
    .filter((record) => (record.mailing === 'allowed') !== carries(record, 'mailing'))
    .map(({ subject, version, mailing }): Anomaly => ({
      kind: 'wrong',
      what: `${name} ${subject} v${version} says of mailings "${mailing}", and what it carries says otherwise`,
    }));
}

/** Every value on a feed was written by an operation on that very attribute of that very customer. */
function checkValues(observed: Observed, feed: readonly FeedRecord[], customerOf: CustomerOf): Anomaly[] {
  const mayHaveWritten = writersIn(observed);
  return feed.flatMap(({ subject, version, values }) =>
    Object.entries(values)
      .filter(([name, value]) => !mayHaveWritten(customerOf(subject), name, value))
      .map(([name, value]): Anomaly => ({
        kind: 'invented',
        what: `the feed has ${name} = ${value}, of ${subject} v${version}, which nobody wrote there`,
      })),
  );
}

/** What stands on recipients' feeds. */
export function checkFeeds(observed: Observed): Anomaly[] {
  const { leaving, partner, partnerFeed, notificationsFeed } = observed;
  const customerOf = customersBy(observed);
  const partners: Receiving[] = [
    { slug: partner, feed: partnerFeed, isAgreed: true },
    ...leaving.map(({ slug, feed, state }) => ({ slug, feed, isAgreed: state === 'in-force' })),
  ];
  return [
    ...[...partners, { slug: 'notifications', feed: notificationsFeed }].flatMap(({ slug, feed }) => [
      ...checkOrder(`feed of ${slug}`, feed),
      ...checkWriters(observed, `feed of ${slug}`, feed),
      ...checkMailing(`feed of ${slug}`, feed),
      ...checkValues(observed, feed, customerOf),
      ...checkAhead(observed, slug, feed),
    ]),
    ...partners.flatMap((receiving) => checkEnd(observed, receiving, customerOf)),
    ...checkVersions(observed),
    ...checkAborted(observed),
    ...checkNotified(observed, customerOf),
  ];
}

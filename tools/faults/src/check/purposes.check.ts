import { attributesOf } from '@castiron/contracts';
import { PURPOSES } from '../plan/operations.js';
import { partnersOf } from './disclosures.js';
import { customersBy } from './feed-records.js';
import type { Anomaly, FeedRecord, Observed } from './observed.js';
import { isPermitting, keyOf } from './permissions.check.js';

/** For which purposes a recipient may hold which attributes. */
type Rights = Readonly<Record<string, readonly string[]>>;

/** What partners' agreements list, and what whoever sends mail for us is registered for. */
const PARTNER: Rights = PURPOSES;
const NOTIFIER: Rights = { notices: attributesOf('notices'), mailing: attributesOf('mailing') };
/** For this nobody is asked: it is our own duty. */
const UNASKED = 'notices';

/** When each permission was asked for first. Without an answer it may have come to pass as well. */
function firstAskedFor({ operations, run }: Observed): ReadonlyMap<string, number> {
  const first = new Map<string, number>();
  for (const done of operations.filter(isPermitting)) {
    if (done.operation.kind !== 'grant' || done.outcome === 'fail') continue;
    const key = keyOf(done, run);
    first.set(key, Math.min(first.get(key) ?? Infinity, done.invoked));
  }
  return first;
}

/** What a record holds: each attribute for each of its purposes, or for none. */
const heldIn = ({ values, purposes }: FeedRecord) =>
  [...new Set([...Object.keys(values), ...Object.keys(purposes)])].flatMap((name) => {
    const own: readonly (string | undefined)[] = purposes[name] ?? [];
    return (own.length > 0 ? own : [undefined]).map((purpose) => ({ name, purpose }));
  });

/**
 * No record holds what it may not, whatever stands on its feed in the end: what agreement or registration lists, for a purpose
 * for which a permission was asked for by the moment in which the broker got the record.
 */
export function checkPurposes(observed: Observed): Anomaly[] {
  const asked = firstAskedFor(observed);
  const customerOf = customersBy(observed);
  const recipients = [
    ...partnersOf(observed).map((partner) => ({ ...partner, rights: PARTNER })),
    { slug: 'notifications', feed: observed.notificationsFeed, rights: NOTIFIER },
  ];
  return recipients.flatMap(({ slug, feed, rights }) =>
    feed.flatMap((record) => {
      const { subject, version, partition, offset } = record;
      const isAsked = (purpose: string): boolean =>
        purpose === UNASKED || (asked.get(`${customerOf(subject)}/${slug}/${purpose}`) ?? Infinity) <= record.at;
      const may = (name: string, purpose: string | undefined): boolean =>
        purpose !== undefined && rights[purpose]?.includes(name) === true && isAsked(purpose);
      return heldIn(record)
        .filter(({ name, purpose }) => !may(name, purpose))
        .map(({ name, purpose = 'nothing' }): Anomaly => ({
          kind: 'invented',
          what: `feed of ${slug} ${subject} v${version} at ${partition}/${offset} has ${name} for ${purpose}, which nothing allows`,
        }));
    }),
  );
}

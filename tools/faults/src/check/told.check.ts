import { byKey } from './by-key.js';
import { compare } from './compare.js';
import { disclosuresOf, partnersOf, type Disclosure, type Recipient } from './disclosures.js';
import type { Anomaly, Observed } from './observed.js';

const isNothing = (held: Disclosure['after']): boolean => Object.keys(held).length === 0;

const takesAway = ({ before, after, isRead }: Disclosure): boolean =>
  isRead && Object.entries(before).some(([name, all]) => all.some((one) => after[name]?.includes(one) !== true));

/** What a customer must be told of sharing with a partner, in order. */
const changesIn = (disclosures: readonly Disclosure[]): string[] =>
  disclosures.flatMap(({ before, after }) =>
    isNothing(before) === isNothing(after) ? [] : [isNothing(after) ? 'sharing-ended' : 'sharing-started'],
  );

const once = <T extends { readonly id: string }>(events: readonly T[]): T[] => [
  ...new Map(events.map((event) => [event.id, event])).values(),
];

const disclosedTo = ({ slug, feed }: Recipient, { aborted }: Observed): Map<string, Disclosure[]> =>
  disclosuresOf(
    feed,
    aborted.filter(({ recipient, reached }) => recipient === slug && reached === 'maybe'),
  );

/** Each record that takes something away made one duty, and told the recipient of it once. */
function checkWithdrawals(observed: Observed, missing: Anomaly['kind']): Anomaly[] {
  const { notificationsFeed, withdrawals, obligations, confirmations } = observed;
  const nameOf = ({ subject, version }: { subject: string; version: number }): string => `${subject} v${version}`;
  const recipients = [...partnersOf(observed), { slug: 'notifications', feed: notificationsFeed }];
  const owed = recipients
    .flatMap((recipient) => [...disclosedTo(recipient, observed).values()].flat())
    .filter(takesAway)
    .map(nameOf);
  const answered = new Set(confirmations.map(({ about }) => about));
  return [
    ...compare('the obligation of', owed, obligations.map(nameOf), missing),
    ...compare('the duty of', owed, once(withdrawals).map(nameOf), missing),
    ...compare(
      'the confirmation of',
      obligations.filter(({ recipient }) => recipient === 'notifications').map(({ id }) => id),
      once(confirmations).map(({ about }) => about),
      missing,
    ),
    ...obligations
      .filter(({ id, state }) => state === 'open' && answered.has(id))
      .map(({ id }): Anomaly => ({ kind: missing, what: `the obligation ${id} was confirmed, and is still open` })),
  ];
}

/** Each customer is welcomed once, and told of sharing with each partner exactly what was disclosed. */
function checkNotices(observed: Observed, missing: Anomaly['kind']): Anomaly[] {
  const { finals, shares, notices } = observed;
  const subjectOf = (customer: string, recipient: string): string =>
    shares.find((share) => share.customer === customer && share.recipient === recipient)?.subject ?? customer;
  const told = byKey(once(notices), ({ subject }) => subject);
  const toldTo = (customer: string) => told.get(subjectOf(customer, 'notifications')) ?? [];
  const customers = [...finals.keys()];
  const welcomes = customers.flatMap((customer) =>
    toldTo(customer)
      .filter(({ kind }) => kind === 'welcome')
      .map(() => customer),
  );
  const ofSharing = partnersOf(observed).flatMap((partner) => {
    const disclosed = disclosedTo(partner, observed);
    return customers.flatMap((customer): Anomaly[] => {
      const owed = changesIn(disclosed.get(subjectOf(customer, partner.slug)) ?? []);
      const said = toldTo(customer)
        .filter(({ about }) => about === `Partner ${partner.slug}`)
        .map(({ kind }) => kind);
      if (said.join() === owed.join()) return [];
      const kind = said.length === owed.length ? 'wrong' : said.length > owed.length ? 'duplicated' : missing;
      const what = `${customer} is told of ${partner.slug}: ${said.join(', ') || 'nothing'}; its feed says ${owed.join(', ') || 'nothing'}`;
      return [{ kind, what }];
    });
  });
  return [...compare('the welcome of', customers, welcomes, missing), ...ofSharing];
}

/** What of withdrawals and notices became of records, as those see it who are told. */
export function checkTold(observed: Observed): Anomaly[] {
  const missing = observed.unsettled.length > 0 ? 'stuck' : 'lost';
  return [...checkWithdrawals(observed, missing), ...checkNotices(observed, missing)];
}

import { attributesOf } from '@castiron/contracts';
import { carries, customersBy, lastOf } from './feed-records.js';
import type { Anomaly, Observed } from './observed.js';
import { mailingOf } from './permissions.check.js';

/**
 * A cancellation that was acknowledged stands at whoever mails and takes back the permission to mail (nobody here gives it
 * anew), and the feed of whoever mails ends with mailing where it is permitted, and nowhere else (P16).
 */
export function checkCancellations(observed: Observed): Anomaly[] {
  const { operations, finals, permitted, shares, notificationsFeed, unsettled } = observed;
  const cancelled = operations.filter(({ operation, outcome }) => operation.kind === 'cancel' && outcome === 'ok');
  const last = lastOf(notificationsFeed, customersBy(observed));
  const kind = unsettled.length > 0 ? 'stuck' : 'lost';
  const stateOf = (customer = ''): string | undefined => permitted.get(mailingOf(customer))?.state;
  const standing = new Set(
    shares
      .filter(({ recipient, subject }) => recipient === 'notifications' && observed.cancelled.has(subject))
      .map(({ customer }) => customer),
  );
  const askedFor = new Set(
    operations.filter(({ operation }) => operation.kind === 'cancel').map(({ customer }) => customer),
  );
  return [
    ...cancelled
      .filter(({ customer = '' }) => !standing.has(customer))
      .map(({ operation, customer }): Anomaly => ({
        kind: 'lost',
        what: `cancel ${operation.id} was acknowledged, and mailings to ${customer} are not taken for cancelled`,
      })),
    ...[...standing]
      .filter((customer) => !askedFor.has(customer))
      .map((customer): Anomaly => ({ kind: 'invented', what: `${customer} has cancelled no mailings` })),
    ...cancelled
      .filter(({ customer }) => stateOf(customer) !== 'revoked')
      .map(({ operation, customer }): Anomaly => ({
        kind,
        what: `cancel ${operation.id} was acknowledged, and the permission to mail ${customer} is ${stateOf(customer) ?? 'none'}`,
      })),
    ...[...finals].flatMap(([customer, { attributes }]): Anomaly[] => {
      const record = last.get(customer);
      const hasAny = attributesOf('mailing').some((name) => attributes[name] !== undefined);
      const isWanted = hasAny && stateOf(customer) === 'granted';
      const isThere = record !== undefined && carries(record, 'mailing');
      if (isThere === isWanted) return [];
      const says = isThere ? 'allows mailings that nobody permits' : 'has none of the mailings that are permitted';
      return [
        { kind, what: `the feed of notifications ends with v${record?.version ?? 0} of ${customer}, which ${says}` },
      ];
    }),
  ];
}

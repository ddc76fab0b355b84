import type { FeedRecord, Observed } from './observed.js';

/** Who a subject is. */
export type CustomerOf = (subject: string) => string | undefined;

export function customersBy({ shares }: Observed): CustomerOf {
  const customers = new Map(shares.map(({ subject, customer }) => [subject, customer]));
  return (subject) => customers.get(subject);
}

export const carries = (record: FeedRecord, purpose: string): boolean =>
  Object.values(record.purposes).some((purposes) => purposes.includes(purpose));

/** The last record of each customer; a tombstone is none. */
export const lastOf = (feed: readonly FeedRecord[], customerOf: CustomerOf): Map<string | undefined, FeedRecord> =>
  new Map(feed.map((record) => [customerOf(record.subject), record]));

import { newEventId, noticeDue } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { orderOfDuties } from '../publications.js';
import { NOTIFIER, noticeOf } from './notices-of.decision.js';
import type { SendingRow } from './outcome.js';

/** Who is told about a share's customer: notifications' own subject id, and how the customer came. */
interface Audience {
  readonly subject: string;
  readonly origin: 'registered' | 'imported';
}

/** By customer. */
export type Audiences = ReadonlyMap<string, Audience>;

export async function audienceOf(dataSource: DataSource, rows: readonly SendingRow[]): Promise<Audiences> {
  const told: ({ customer: string } & Audience)[] = await dataSource.query(
    `SELECT s.customer, s.subject, c.origin
     FROM shares s JOIN customers c ON c.id = s.customer JOIN recipients r ON r.slug = s.recipient
     WHERE s.customer = ANY($1::uuid[]) AND s.recipient = $2 AND r.provisioned_at IS NOT NULL`,
    [rows.map(({ outcome }) => outcome.customer), NOTIFIER],
  );
  return new Map(told.map((one) => [one.customer, one]));
}

/** What a transaction must hold in which the customer is told of the record. */
export function noticeKeysOf({ outcome }: SendingRow, audiences: Audiences): string[] {
  const about = audiences.get(outcome.customer);
  return about === undefined || noticeOf(outcome, about.origin) === undefined
    ? []
    : [orderOfDuties(NOTIFIER, about.subject)];
}

export function tellCustomer(tx: Tx, { outcome }: SendingRow, audiences: Audiences): void {
  const about = audiences.get(outcome.customer);
  const notice = noticeOf(outcome, about?.origin);
  if (notice === undefined || about === undefined) return;
  // The record stands on its feed, or may have been seen, whatever room there is to tell of it.
  tx.publish(
    noticeDue,
    { notice: newEventId(), subject: about.subject, ...notice },
    { slug: NOTIFIER, reserved: true },
  );
}

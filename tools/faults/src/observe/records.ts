import type { Aborted, Announcement, FeedRecord, VersionedRecord } from '../check/observed.js';
import { COPY, type Placed } from './topics.js';

const dataOf = (record: Placed): Record<string, unknown> => JSON.parse(record.value ?? '{}') as Record<string, unknown>;

export const delivered = ({ topic, partition, offset, key, id, headers }: Placed) => ({
  topic,
  partition,
  offset,
  key,
  id,
  isCopy: headers[COPY] !== undefined,
});

export function versioned(record: Placed): VersionedRecord & { state: string } {
  const data = dataOf(record);
  return { ...delivered(record), version: Number(data['version']), state: String(data['state']) };
}

export function announcement(record: Placed): Announcement {
  const { index, entry } = dataOf(record);
  return { ...delivered(record), index: Number(index), entry: String(entry) };
}

export const stateOf = (record: Placed | undefined): string | undefined =>
  record === undefined ? undefined : String(dataOf(record)['state']);

export function feedRecord(record: Placed): FeedRecord {
  const data = dataOf(record);
  const attributes = (data['attributes'] ?? {}) as Record<string, { value?: string; purposes: { purpose: string }[] }>;
  const mailing = data['mailing'];
  return {
    partition: record.partition,
    offset: record.offset,
    id: record.id,
    subject: record.key,
    version: record.value === null ? null : Number(data['version']),
    values: Object.fromEntries(Object.entries(attributes).map(([name, { value }]) => [name, value])),
    purposes: Object.fromEntries(
      Object.entries(attributes).map(([name, { purposes }]) => [name, purposes.map(({ purpose }) => purpose)]),
    ),
    mailing: typeof mailing === 'string' ? mailing : undefined,
    at: record.at,
  };
}

/** A row of the ledger's entries, as partner-sharing keeps them. */
export interface AbortedRow {
  readonly [column: string]: unknown;
  readonly recipient: string;
  readonly subject: string;
  readonly version: number;
  readonly reached: Aborted['reached'];
  readonly attributes: readonly { readonly name: string; readonly purposes: readonly { readonly purpose: string }[] }[];
}

export const abortedOf = ({ recipient, subject, version, reached, attributes }: AbortedRow): Aborted => ({
  reached,
  recipient,
  subject,
  version,
  purposes: Object.fromEntries(attributes.map(({ name, purposes }) => [name, purposes.map(({ purpose }) => purpose)])),
});

const ofType =
  <T>(type: string, make: (data: Record<string, unknown>) => T) =>
  (records: readonly Placed[]): (T & { id: string })[] =>
    records.filter((record) => record.type === type).map((record) => ({ id: record.id, ...make(dataOf(record)) }));

export const withdrawalsOf = ofType('duties.withdrawal-due.v1', ({ subject, version }) => ({
  subject: String(subject),
  version: Number(version),
}));

export const confirmationsOf = ofType('replies.withdrawal-confirmed.v1', ({ obligation }) => ({
  about: String(obligation),
}));

export const noticesOf = ofType('duties.notice-due.v1', ({ notice, subject, kind, about }) => ({
  notice: String(notice),
  subject: String(subject),
  kind: String(kind),
  about: typeof about === 'string' ? about : undefined,
}));

import type { FeedRecord, OnceEvent, VersionedRecord } from '../check/observed.js';
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

export const stateOf = (record: Placed | undefined): string | undefined =>
  record === undefined ? undefined : String(dataOf(record)['state']);

export function feedRecord(record: Placed): FeedRecord {
  const data = dataOf(record);
  const attributes = (data['attributes'] ?? {}) as Record<string, { value?: string; purposes: { purpose: string }[] }>;
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
    at: record.at,
  };
}

export const onceEvents = (records: readonly Placed[], type: string, about: string): OnceEvent[] =>
  records
    .filter((record) => record.type === type)
    .map((record) => ({ id: record.id, about: String(dataOf(record)[about]) }));

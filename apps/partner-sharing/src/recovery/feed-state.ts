import { decodeMessage, FEED_TICK_TYPE, feedRecord, feeds, newEventId, typeOf, type DataOf } from '@castiron/contracts';
import { readAll, type Kafka } from '@castiron/kafka';
import type { AttributeName } from '@castiron/contracts';
import type { Holding } from '../shares/share.js';

/** What a feed says of one subject. */
export interface OnFeed {
  readonly subject: string;
  /** The highest that was ever seen there; 0 where only a tombstone is left. */
  readonly version: number;
  /** Of the last record or tombstone. */
  readonly entry: string;
  /** undefined: a tombstone. */
  readonly record: Pick<DataOf<typeof feedRecord>, 'mailing' | 'index'> | undefined;
  /** Names, purposes and grounds of the last record. */
  readonly holds: readonly Holding[];
}

/** A feed as it stands, by subject; no value of it is kept. Calls back with the id of each record. */
export async function readFeed(
  kafka: Kafka,
  slug: string,
  seen: (recordId: string) => void,
): Promise<ReadonlyMap<string, OnFeed>> {
  const subjects = new Map<string, OnFeed>();
  const groupId = `partner-sharing.recovery-${newEventId()}`;
  for await (const message of readAll(kafka, feeds.of(slug).name, { groupId })) {
    if (typeOf(message) === FEED_TICK_TYPE) continue;
    const decoded = decodeMessage(message, [feedRecord]);
    if (!decoded.ok) continue;
    const { key: subject, meta } = decoded.event;
    const record = decoded.event.data as DataOf<typeof feedRecord> | null;
    seen(meta.id);
    subjects.set(subject, {
      subject,
      version: Math.max(subjects.get(subject)?.version ?? 0, record?.version ?? 0),
      entry: meta.ledgerEntry ?? record?.entry ?? '',
      record: record === null ? undefined : { mailing: record.mailing, index: record.index },
      holds: Object.entries(record?.attributes ?? {}).map(([name, { purposes }]) => ({
        name: name as AttributeName,
        // At which version its value was given is not told, so what is published anew is not taken for the same.
        version: 0,
        purposes: purposes.map(({ purpose, ground }) => ({ purpose, ground })),
      })),
    });
  }
  return subjects;
}

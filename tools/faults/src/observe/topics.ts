import { FEED_TICK_TYPE } from '@castiron/contracts';
import { readAll, type Kafka } from '@castiron/kafka';

/** Marks a record that the rig put behind its original, so that nobody is blamed for where it stands. */
export const COPY = 'faults-copy';

/** A record as it stands on its topic. */
export interface Placed {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** null: a tombstone. */
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** When the broker appended it, in ms since the epoch. */
  readonly at: number;
  /** The event's id; the same on each copy. */
  readonly id: string;
  readonly type: string;
}

/** What could be read of a topic; not all of it where a transaction stays open on it, or the broker gives nothing more out. */
export interface Read {
  readonly topic: string;
  readonly records: Placed[];
  readonly whole: boolean;
}

/** Of silence: how long all of a topic takes hangs on how busy the machine is, and on the seeds that wrote there before. */
const SILENT_MS = 60_000;

/** All committed records of a topic, in order per partition. */
export async function readTopic(kafka: Kafka, topic: string): Promise<Read> {
  const records: Placed[] = [];
  const silent = new AbortController();
  const timer = setTimeout(() => silent.abort(), SILENT_MS);
  try {
    for await (const message of readAll(kafka, topic, { signal: silent.signal })) {
      timer.refresh();
      const headers = Object.fromEntries(
        Object.entries(message.headers).map(([name, value]) => [name, String(Array.isArray(value) ? value[0] : value)]),
      );
      records.push({
        topic,
        partition: message.partition,
        offset: Number(message.offset),
        key: message.key?.toString() ?? '',
        value: message.value?.toString() ?? null,
        headers,
        at: message.timestamp.getTime(),
        id: headers['ce_id'] ?? '',
        type: headers['ce_type'] ?? '',
      });
    }
  } finally {
    clearTimeout(timer);
  }
  const sorted = records
    .filter(({ type }) => type !== FEED_TICK_TYPE)
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  return { topic, records: sorted, whole: !silent.signal.aborted };
}

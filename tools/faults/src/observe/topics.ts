import { readAll, type Kafka } from '@castiron/kafka';

/** A record as it stands on its topic. */
export interface Placed {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  /** null: a tombstone. */
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** When it was sent, in ms since the epoch. */
  readonly at: number;
  /** The event's id; the same on each copy. */
  readonly id: string;
  readonly type: string;
}

/** All committed records of a topic, in order per partition. */
export async function readTopic(kafka: Kafka, topic: string): Promise<Placed[]> {
  const records: Placed[] = [];
  for await (const message of readAll(kafka, topic)) {
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
  return records
    .filter(({ type }) => type !== 'feed.tick')
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

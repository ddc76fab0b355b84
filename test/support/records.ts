import { decodeMessage, feedRecord, feeds, typeOf } from '@castiron/contracts';
import { readAll, type PlacedMessage } from '@castiron/kafka';
import type { Castiron, FeedRecord } from './castiron.js';

/** All that stands on a topic now, in the order of its partitions, as the broker's administrator sees it. */
export async function recordsOn(castiron: Castiron, topic: string): Promise<PlacedMessage[]> {
  const records: PlacedMessage[] = [];
  const kafka = castiron.kafka(castiron.endpoints.kafka.principals['admin']!);
  for await (const record of readAll(kafka, topic)) records.push(record);
  return records;
}

/** The data of a type's events on a topic, each event once however often its sender sent it. */
export async function eventsOn<Data>(castiron: Castiron, topic: string, { type }: { type: string }): Promise<Data[]> {
  const events = new Map<string | undefined, Data>();
  for (const record of await recordsOn(castiron, topic)) {
    const id = record.headers['ce_id']?.toString();
    if (typeOf(record) === type && !events.has(id)) events.set(id, JSON.parse(String(record.value)) as Data);
  }
  return [...events.values()];
}

/** What the feed of notifications says last of who once had this address there; undefined where it says nothing. */
export async function lastOnOwnFeed(castiron: Castiron): Promise<(email: string) => FeedRecord | undefined> {
  const records: FeedRecord[] = [];
  for (const message of await recordsOn(castiron, feeds.of('notifications').name)) {
    // Where somebody else wrote too, not all of it can be read.
    const decoded = decodeMessage(message, [feedRecord]);
    if (decoded.ok && decoded.event.data !== null) records.push(decoded.event.data as FeedRecord);
  }
  return (email) => {
    const subject = records.find(({ attributes }) => attributes.email?.value === email)?.subject;
    return records.findLast((record) => record.subject === subject);
  };
}

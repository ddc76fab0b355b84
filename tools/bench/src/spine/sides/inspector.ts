import { createHash } from 'node:crypto';
import { connect, type PlacedMessage } from '@castiron/kafka';
import { numberOf } from '../events.js';
import type { OnTopic } from '../places.js';

/** What differs from event to event whoever sends it. */
const OF_THE_EVENT = ['ce_id', 'ce_time', 'ce_sequence'];

const headersOf = (message: PlacedMessage): [string, string][] =>
  Object.entries(message.headers)
    .map(([name, value]): [string, string] => [name, String(value)])
    .sort(([a], [b]) => (a < b ? -1 : 1));

function fingerprint(message: PlacedMessage, headers: readonly [string, string][]): string {
  const hash = createHash('sha256').update(`${message.partition}\n${String(message.key)}\n`);
  return hash
    .update(message.value ?? '')
    .update(JSON.stringify(headers))
    .digest('base64');
}

/** All of a message, partition and headers included, whatever their order. */
const whole = (message: PlacedMessage): string => fingerprint(message, headersOf(message));

/** The same without what each event has of its own. */
const common = (message: PlacedMessage): string =>
  fingerprint(
    message,
    headersOf(message).map(([name, value]) => [name, OF_THE_EVENT.includes(name) ? '' : value]),
  );

type On = Pick<OnTopic, 'kafka' | 'topic'>;

/**
 * Reads a topic that several sides sent the same events to.
 * @returns how many events stand there exactly so often, each time with the same bytes, headers and partition
 */
export async function identical({ kafka, topic, times }: On & { times: number }): Promise<number> {
  const seen = new Map<string, { readonly mark: string; count: number; same: boolean }>();
  for await (const message of connect(kafka).read(topic)) {
    const id = String(message.headers['ce_id']);
    const mark = whole(message);
    const before = seen.get(id);
    if (before === undefined) seen.set(id, { mark, count: 1, same: true });
    else {
      before.count += 1;
      before.same &&= before.mark === mark;
    }
  }
  return [...seen.values()].filter(({ count, same }) => same && count === times).length;
}

/** @returns how many messages of a topic are no event of another one, ids and times apart */
export async function strange({ kafka, topic, of }: On & { of: string }): Promise<number> {
  const known = new Map<number, string>();
  for await (const message of connect(kafka).read(of)) known.set(numberOf(message.value), common(message));
  let unknown = 0;
  for await (const message of connect(kafka).read(topic))
    if (known.get(numberOf(message.value)) !== common(message)) unknown += 1;
  return unknown;
}

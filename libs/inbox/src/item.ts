import { createHash } from 'node:crypto';
import {
  decodeMessage,
  FEED_TICK_TYPE,
  feeds,
  replies,
  typeOf,
  type DecodeFailure,
  type RawMessage,
  type ReceivedEvent,
} from '@castiron/contracts';
import type { IncomingBatch, IncomingMessage } from '@castiron/kafka';
import { isTimely } from './id-time.js';
import { LARGEST_BYTES, measure } from './packing.js';
import type { Subscription } from './subscription.js';
import type { Subscriptions } from './subscriptions.js';
import { whatIsStrangeIn } from './strange-data.js';

/** Why a message is no event: stable codes, shown to operators. */
type Broken = DecodeFailure | 'oversized' | 'too-deep' | 'untimely-id';

/** One message on its way into the database. */
export interface Item {
  readonly raw: RawMessage;
  /** Where it stood: the identity of a message that has none of its own. */
  readonly position: string;
  /** Keys of broken messages may hold anything, so they are compared by hash; stored is only what the seal makes of it. */
  readonly keyHash: string;
  /** Of key, value and headers. */
  readonly bytes: number;
  readonly content:
    | { readonly kind: 'event'; readonly event: ReceivedEvent; readonly subscription: Subscription }
    | { readonly kind: 'broken'; readonly reason: Broken; readonly detail: string };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function keyHashOf(raw: RawMessage): string {
  return createHash('sha256')
    .update(raw.key ?? '')
    .digest('base64url');
}

/** Reads a message without trusting it; undefined for what is passed over on purpose. Never throws. */
export function read(raw: RawMessage, position: string, subscriptions: Subscriptions): Item | undefined {
  let bytes = LARGEST_BYTES;
  const placed = () => ({ raw, position, keyHash: keyHashOf(raw), bytes });
  const broken = (reason: Broken, detail: string): Item => ({
    ...placed(),
    content: { kind: 'broken', reason, detail },
  });
  try {
    const { size, oversized } = measure(raw);
    bytes = size;
    // Before anything makes a text of it: there are no texts above 512 MB, and a small packet may hold that.
    if (oversized) return broken('oversized', 'too many bytes, or headers');
    // A tick makes the broker roll a segment and says nothing. Only feeds have them.
    if (typeOf(raw) === FEED_TICK_TYPE && feeds.slugOf(raw.topic) !== undefined) return undefined;
    const decoded = decodeMessage(raw, subscriptions.contracts);
    if (!decoded.ok) return broken(decoded.reason, decoded.detail);
    const { event } = decoded;
    if (!UUID.test(event.meta.id)) return broken('missing-headers', 'the id is no UUID');
    const strange = whatIsStrangeIn(event.data);
    if (strange !== undefined) return broken(strange.reason, strange.detail);
    const subscription = subscriptions.of(event.contract);
    return subscription === undefined ? undefined : { ...placed(), content: { kind: 'event', event, subscription } };
  } catch {
    // Whatever it is that its content does to us: it must not end the consumer, which would meet it again.
    return broken('bad-data', 'it cannot be read');
  }
}

/** The same of a message that has just come. */
export function itemOf(
  batch: IncomingBatch,
  message: IncomingMessage,
  subscriptions: Subscriptions,
  now: number,
): Item | undefined {
  const raw = { topic: batch.topic, key: message.key, value: message.value, headers: message.headers };
  // With its time: a topic made anew counts its offsets from zero again.
  const position = `${batch.partition}/${message.offset}@${message.timestamp.getTime()}`;
  const item = read(raw, position, subscriptions);
  if (item?.content.kind !== 'event' || replies.slugOf(batch.topic) === undefined) return item;
  if (isTimely(item.content.event.meta.id, now)) return item;
  // It would be remembered where no week is dropped, and there may be any number of such. A replay takes it all the same.
  return { ...item, content: { kind: 'broken', reason: 'untimely-id', detail: 'the id is no UUIDv7 of these days' } };
}

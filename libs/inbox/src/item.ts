import { hash } from 'node:crypto';
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
import type { IncomingBatch } from '@castiron/kafka';
import { isTimely } from './id-time.js';
import { LARGEST_BYTES, measure } from './packing.js';
import type { Subscription } from './subscription.js';
import type { Subscriptions } from './subscriptions.js';
import { whatIsStrangeIn } from './strange-data.js';

/** Why a message is no event: stable codes, shown to operators. */
type Broken = DecodeFailure | 'oversized' | 'too-deep' | 'untimely-id';

/** Where a message stood. */
interface Place {
  /** The identity of a message that has none of its own. */
  readonly position: string;
  /** Of one that has just come: what is committed of its partition, and where a further try begins. */
  readonly offset?: string;
}

/** One message on its way into the database. */
export interface Item extends Place {
  readonly raw: RawMessage;
  /** Keys of broken messages may hold anything, so they are compared by hash; stored is only what the seal makes of it. */
  readonly keyHash: string;
  /** Of key, value and headers. */
  readonly bytes: number;
  readonly content:
    | { readonly kind: 'event'; readonly event: ReceivedEvent; readonly subscription: Subscription }
    | { readonly kind: 'broken'; readonly reason: Broken; readonly detail: string };
}

const UNTIMELY = { kind: 'broken', reason: 'untimely-id', detail: 'the id is no UUIDv7 of these days' } as const;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

const keyHashOf = ({ key }: RawMessage): string => hash('sha256', key ?? '', 'base64url');

/** Reads a message without trusting it; undefined for what is passed over on purpose. Never throws. */
export function read(raw: RawMessage, place: Place, subscriptions: Subscriptions): Item | undefined {
  let bytes = LARGEST_BYTES;
  const placed = () => ({ raw, ...place, keyHash: keyHashOf(raw), bytes });
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

/**
 * The same of messages that have just come, each when it is asked for.
 * @param done the offset of the last that is done with all before it: a further try begins behind it
 */
export function* itemsOf(batch: IncomingBatch, subscriptions: Subscriptions, done?: string): Generator<Item> {
  const { topic, partition } = batch;
  const isOfARecipient = replies.slugOf(topic) !== undefined;
  const now = Date.now();
  for (const { key, value, headers, offset, timestamp } of batch.messages) {
    if (done !== undefined && BigInt(offset) <= BigInt(done)) continue;
    // With its time: a topic made anew counts its offsets from zero again.
    const place = { position: `${partition}/${offset}@${timestamp.getTime()}`, offset };
    const item = read({ topic, key, value, headers }, place, subscriptions);
    if (item === undefined) continue;
    const isTaken = !isOfARecipient || item.content.kind !== 'event' || isTimely(item.content.event.meta.id, now);
    // It would be remembered where no week is dropped, and there may be any number of such. A replay takes it all the same.
    yield isTaken ? item : { ...item, content: UNTIMELY };
  }
}

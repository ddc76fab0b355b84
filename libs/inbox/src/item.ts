import { createHash } from 'node:crypto';
import {
  decodeMessage,
  FEED_TICK_TYPE,
  feeds,
  typeOf,
  type DecodeFailure,
  type RawMessage,
  type ReceivedEvent,
} from '@castiron/contracts';
import type { IncomingBatch, IncomingMessage } from '@castiron/kafka';
import type { Subscription } from './subscription.js';
import type { Subscriptions } from './subscriptions.js';

/** One message on its way into the database. */
export interface Item {
  readonly raw: RawMessage;
  /** Where it stood: the identity of a message that has none of its own. */
  readonly position: string;
  /** Keys of broken messages may hold anything, so they are compared by hash and never stored in the clear. */
  readonly keyHash: string;
  readonly content:
    | { readonly kind: 'event'; readonly event: ReceivedEvent; readonly subscription: Subscription }
    | { readonly kind: 'broken'; readonly reason: DecodeFailure; readonly detail: string };
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function keyHashOf(raw: RawMessage): string {
  return createHash('sha256')
    .update(raw.key ?? '')
    .digest('base64url');
}

/** Reads a message without trusting it; undefined for what is passed over on purpose. */
export function read(raw: RawMessage, position: string, subscriptions: Subscriptions): Item | undefined {
  // A tick makes the broker roll a segment and says nothing. Only feeds have them.
  if (typeOf(raw) === FEED_TICK_TYPE && feeds.slugOf(raw.topic) !== undefined) return undefined;
  const placed = { raw, position, keyHash: keyHashOf(raw) };
  const decoded = decodeMessage(raw, subscriptions.contracts);
  if (!decoded.ok) return { ...placed, content: { kind: 'broken', reason: decoded.reason, detail: decoded.detail } };
  const { event } = decoded;
  if (!UUID.test(event.meta.id)) {
    return { ...placed, content: { kind: 'broken', reason: 'missing-headers', detail: 'the id is no UUID' } };
  }
  const subscription = subscriptions.of(event.contract);
  return subscription === undefined ? undefined : { ...placed, content: { kind: 'event', event, subscription } };
}

export function itemOf(batch: IncomingBatch, message: IncomingMessage, subscriptions: Subscriptions): Item | undefined {
  const raw = { topic: batch.topic, key: message.key, value: message.value, headers: message.headers };
  // With its time: a topic made anew counts its offsets from zero again.
  const position = `${batch.partition}/${message.offset}@${message.timestamp.getTime()}`;
  return read(raw, position, subscriptions);
}

import { advisoryLock } from './hash-bits.js';

/** Names the order that a key of a topic has: what {@link Transactions.run} and `claim` take. */
export function outboxKey(topicName: string, key: string): string {
  return `${topicName}/${key}`;
}

/** The advisory lock of an outbox key. Two keys that meet there only wait for each other. */
export function lockOf(outboxKeyName: string): bigint {
  return advisoryLock(`outbox:${outboxKeyName}`);
}

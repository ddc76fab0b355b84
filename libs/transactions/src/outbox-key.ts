import { hash } from 'node:crypto';

/** Names the order that a key of a topic has: what {@link Transactions.run} and `claim` take. */
export function outboxKey(topicName: string, key: string): string {
  return `${topicName}/${key}`;
}

/**
 * The advisory lock of an outbox key: 64 bits of a hash. Two keys that meet there only wait for each other.
 * The prefix keeps these locks apart from other advisory locks of a service.
 */
export function lockOf(outboxKeyName: string): bigint {
  return hash('sha256', `outbox:${outboxKeyName}`, 'buffer').readBigInt64BE(0);
}

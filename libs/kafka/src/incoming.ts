import type { KafkaMessage } from 'kafkajs';
import type { IncomingMessage } from './types.js';

export function incoming(message: KafkaMessage): IncomingMessage {
  return {
    offset: message.offset,
    timestamp: new Date(Number(message.timestamp)),
    key: message.key ?? null,
    value: message.value ?? null,
    headers: message.headers ?? {},
  };
}

/** Each made when its turn comes, and anew each time they are gone through. */
export const incomingOf = (messages: readonly KafkaMessage[]): Iterable<IncomingMessage> => ({
  *[Symbol.iterator]() {
    for (const message of messages) yield incoming(message);
  },
});

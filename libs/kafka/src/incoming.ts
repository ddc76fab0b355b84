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

/**
 * Each made when its turn comes, and anew each time they are gone through. One generator function for all: V8 makes what
 * belongs to one of its own for each in the old heap, where it would keep the messages until all of that is collected.
 */
class Incoming implements Iterable<IncomingMessage> {
  constructor(private readonly messages: readonly KafkaMessage[]) {}

  *[Symbol.iterator](): Generator<IncomingMessage> {
    for (const message of this.messages) yield incoming(message);
  }
}

export const incomingOf = (messages: readonly KafkaMessage[]): Iterable<IncomingMessage> => new Incoming(messages);

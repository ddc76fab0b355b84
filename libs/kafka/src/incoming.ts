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

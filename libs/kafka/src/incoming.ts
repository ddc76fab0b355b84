import type { KafkaMessage } from 'kafkajs';
import type { IncomingMessage } from './types.js';

/** Of a message that kafkajs gives out: what is asked for, when it is asked for. */
export class Incoming implements IncomingMessage {
  constructor(private readonly message: KafkaMessage) {}

  get offset(): string {
    return this.message.offset;
  }

  get timestamp(): Date {
    return new Date(Number(this.message.timestamp));
  }

  get key(): Buffer | null {
    return this.message.key;
  }

  get value(): Buffer | null {
    return this.message.value;
  }

  get headers(): IncomingMessage['headers'] {
    return this.message.headers ?? {};
  }
}

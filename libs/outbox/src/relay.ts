import type { Kafka } from '@castiron/kafka';
import type { Metrics } from '@castiron/observability';
import type { OutboxPort } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import type { Logger } from 'pino';
import { appendToOutbox } from './append.js';

export interface RelayOptions {
  readonly dataSource: DataSource;
  readonly kafka: Kafka;
  readonly logger: Logger;
  readonly metrics?: Metrics;
}

/** Sends committed events to their topics, in order per key. One per process; several processes share the lanes. */
export class Relay implements OutboxPort {
  readonly append = appendToOutbox;
  constructor(protected readonly options: RelayOptions) {}
  start(): Promise<void> {
    throw new Error('not built yet');
  }
  stop(): Promise<void> {
    throw new Error('not built yet');
  }
  wake(): void {
    throw new Error('not built yet');
  }
}

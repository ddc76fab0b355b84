import type { EventContract } from '@castiron/contracts';
import type { Kafka } from '@castiron/kafka';
import type { Metrics } from '@castiron/observability';
import type { Transactions } from '@castiron/transactions';
import type { Logger } from '@castiron/observability';
import type { DataSource } from 'typeorm';
import type { Subscription } from './subscription.js';

export interface InboxOptions {
  /** The consumer group, and the name under which handled ids are remembered. */
  readonly name: string;
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly kafka: Kafka;
  /** May be empty: {@link Inbox.watch} adds more. */
  readonly topics: readonly string[];
  readonly subscriptions: readonly Subscription[];
  /** Contracts of the topics read that this service passes over on purpose. */
  readonly ignored?: readonly EventContract[];
  /** Encrypts parked messages at rest. */
  readonly seal: { seal(bytes: Buffer): Buffer; open(sealed: Buffer): Buffer };
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** The consumer cannot go on: the process is to end. */
  readonly onCrash: (error: Error) => void;
}

/** Reads topics and handles each message exactly once in the database, in order per key. */
export class Inbox {
  constructor(protected readonly options: InboxOptions) {}
  start(): Promise<void> {
    throw new Error('not built yet');
  }
  stop(): Promise<void> {
    throw new Error('not built yet');
  }
  healthy(): boolean {
    throw new Error('not built yet');
  }
  /** Reads these topics too, from their beginning; a no-op for those read already. */
  watch(topics: readonly string[]): Promise<void> {
    throw new Error(`not built yet: ${topics.length}`);
  }
}

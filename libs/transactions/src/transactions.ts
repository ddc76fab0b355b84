import type { DataSource } from 'typeorm';
import type { OutboxPort, Tx } from './transaction.js';

/** The most outbox keys one transaction may hold; a larger piece of work is to be cut up. */
export const MAX_KEYS = 256;

/** Runs work as one READ COMMITTED transaction, with its events in the outbox. */
export class Transactions {
  constructor(
    protected readonly dataSource: DataSource,
    protected readonly outbox: OutboxPort,
  ) {}

  /**
   * @param keys the {@link outboxKey}s that the work publishes under, {@link MAX_KEYS} at most
   * @returns what the work returns, once the commit stands; whatever the work throws, after the rollback
   */
  run<T>(keys: readonly string[], work: (tx: Tx) => Promise<T>): Promise<T> {
    throw new Error(`not built yet: ${keys.length} ${work.name}`);
  }
}

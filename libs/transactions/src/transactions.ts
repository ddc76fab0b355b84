import type { EventContract } from '@castiron/contracts';
import type { DataSource } from 'typeorm';
import { inTransaction } from './in-transaction.js';
import { lockOf } from './outbox-key.js';
import { MoreKeysNeeded } from './more-keys-needed.js';
import { RunningTransaction } from './running-transaction.js';
import type { OutboxPort, Publications, Statement, Tx } from './transaction.js';

/** The most outbox keys one transaction may hold; a larger piece of work is to be cut up. */
export const MAX_KEYS = 256;

/** Planned once a connection. */
const LOCK_ONE = { name: 'outbox-lock', text: `SELECT pg_advisory_xact_lock($1)` };
const LOCK_MANY = {
  name: 'outbox-locks',
  text: `SELECT pg_advisory_xact_lock(lock) FROM unnest($1::bigint[]) AS lock`,
};

/**
 * Before anything is read, so that each later statement sees what former holders of a key committed; sorted, so that no
 * two transactions wait for each other. The function runs in the order of the array.
 */
function lockAll(keys: ReadonlySet<string>): Statement | undefined {
  const locks = [...new Set([...keys].map(lockOf))].sort((a, b) => (a < b ? -1 : 1));
  if (locks.length === 0) return undefined;
  // One is what most hold, and done in half the time.
  if (locks.length === 1) return { ...LOCK_ONE, values: [locks.join()] };
  return { ...LOCK_MANY, values: [`{${locks.join()}}`] };
}

/** Runs work as one READ COMMITTED transaction, with its events in the outbox. */
export class Transactions {
  private readonly publications: ReadonlySet<EventContract>;

  /** @param publications all that the service may publish; whatever else is published is a bug */
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: OutboxPort,
    publications: Publications,
  ) {
    this.publications = new Set(Object.values(publications));
  }

  /**
   * @param keys the {@link outboxKey}s that the work publishes under, {@link MAX_KEYS} at most
   * @returns what the work returns, once the commit stands; whatever the work throws, after the rollback
   */
  async run<T>(keys: readonly string[], work: (tx: Tx) => Promise<T>): Promise<T> {
    const held = new Set(keys);
    // Each turn brings a key at least, so work that asks for others each time ends too.
    for (;;) {
      if (held.size > MAX_KEYS)
        throw new RangeError(`a transaction holds ${MAX_KEYS} outbox keys at most, not ${held.size}`);
      try {
        return await this.once(held, work);
      } catch (error) {
        if (!(error instanceof MoreKeysNeeded)) throw error;
        for (const key of error.keys) held.add(key);
      }
    }
  }

  private async once<T>(held: ReadonlySet<string>, work: (tx: Tx) => Promise<T>): Promise<T> {
    let running: RunningTransaction | undefined;
    // Last, so that the ids of a key follow its commits as closely as can be, and no lock is held for long.
    const last = (): Statement | undefined => {
      const events = running?.close() ?? [];
      return events.length > 0 ? this.outbox.append(events) : undefined;
    };
    const result = await inTransaction(this.dataSource, { first: lockAll(held), last }, async (manager) => {
      const tx = (running = new RunningTransaction(manager, held, this.publications));
      try {
        const value = await work(tx);
        if (tx.restart !== undefined) throw tx.restart;
        return value;
      } catch (error) {
        // Whatever the work made of a claim that could not be met: it starts again.
        throw tx.restart ?? error;
      }
    });
    if (running !== undefined) {
      if (running.buffered.pending().length > 0) this.outbox.wake();
      running.buffered.settle();
    }
    return result;
  }
}

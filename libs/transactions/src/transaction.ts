import type { DataOf, EventContract, WireMessage } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';

/** An event that its transaction will write to the outbox as its last statement. */
export interface PendingEvent {
  /** The CloudEvents id, a UUIDv7. */
  readonly eventId: string;
  /** The contract's type. */
  readonly type: string;
  readonly message: WireMessage;
  /** See {@link PublishOptions}. */
  readonly reserved?: boolean;
}

export interface PublishOptions {
  /** Of the recipient, for a topic that exists once per recipient. */
  readonly slug?: string;
  /**
   * Goes into a full outbox too: the room that is reserved for what only takes away (a revocation, a withdrawal, an end),
   * and for telling what cannot be undone any more. Everything else counts as adding.
   */
  readonly reserved?: boolean;
}

/** All that a service may publish, by any names: what its `publications.ts` lists. */
export type Publications = Readonly<Record<string, EventContract>>;

/** One database transaction of a use case or handler. Travels explicitly, so that nothing runs beside it by accident. */
export interface Tx {
  /**
   * The transaction begins, and takes the locks of its keys, along with the first statement that is asked here: what is read
   * before it, a clock too, may be behind what a former holder of a key wrote. That statement is one, and no cursor.
   */
  readonly manager: EntityManager;

  /**
   * Buffers an event; it is written with the commit. The event's {@link outboxKey} must have been named or claimed.
   * @throws TypeError where the contract is not among the service's {@link Publications}, the data does not fit it, the
   *   key is not locked, or the transaction is over: all of them are bugs
   */
  publish<Contract extends EventContract>(contract: Contract, data: DataOf<Contract>, options?: PublishOptions): void;

  /** Buffers the deletion of a key of a state topic; it goes into a full outbox too. */
  tombstone(contract: EventContract, key: string, options?: { slug?: string }): void;

  /**
   * Asks for further outbox keys. Where one is not held yet, the transaction rolls back and the work runs again from its
   * start with the larger set: do this before anything that cannot be repeated, and let what it throws pass.
   */
  claim(keys: readonly string[]): void;

  /** Runs work that may fail alone: its database changes, events and after-commit work are dropped when it throws. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;

  /** Runs once the commit stands; never when it does not. Errors of it are not the caller's any more and are swallowed. */
  afterCommit(work: () => void): void;
}

/** One statement of PostgreSQL, planned once a connection by its name, which no other text may have. */
export interface Statement {
  readonly name: string;
  readonly text: string;
  /** As PostgreSQL reads them. */
  readonly values?: (string | null)[];
}

/** Where events go. */
export interface OutboxPort {
  /**
   * Called before the commit.
   * @returns what writes the events, in their order
   * @throws whatever must keep the transaction from being committed
   */
  append(events: readonly PendingEvent[]): Statement;
  /** Called after the commit. */
  wake(): void;
}

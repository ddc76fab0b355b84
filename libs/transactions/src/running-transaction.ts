import {
  encodeEvent,
  encodeTombstone,
  newEventId,
  type DataOf,
  type EventContract,
  type WireMessage,
} from '@castiron/contracts';
import { correlationId } from '@castiron/observability';
import type { EntityManager } from 'typeorm';
import { Buffered } from './buffered-events.js';
import { outboxKey } from './outbox-key.js';
import { MoreKeysNeeded } from './more-keys-needed.js';
import type { PendingEvent, PublishOptions, Tx } from './transaction.js';

/** See {@link Tx}. */
export class RunningTransaction implements Tx {
  readonly buffered = new Buffered();
  /** Set by a claim that could not be met, and never taken back: swallowing the exception does not help. */
  restart: MoreKeysNeeded | undefined;
  private savepoints = 0;
  private closed = false;

  constructor(
    readonly manager: EntityManager,
    private readonly held: ReadonlySet<string>,
    private readonly publications: ReadonlySet<EventContract>,
  ) {}

  publish<Contract extends EventContract>(
    contract: Contract,
    data: DataOf<Contract>,
    { slug, reserved = false }: PublishOptions = {},
  ): void {
    this.buffer(contract, reserved, (meta) => encodeEvent(contract, data, meta, slug));
  }

  tombstone(contract: EventContract, key: string, options: { slug?: string } = {}): void {
    this.buffer(contract, true, (meta) => encodeTombstone(contract, key, meta, options.slug));
  }

  claim(keys: readonly string[]): void {
    const missing = keys.filter((key) => !this.held.has(key));
    if (missing.length === 0) return;
    this.restart = new MoreKeysNeeded([...(this.restart?.keys ?? []), ...missing]);
    throw this.restart;
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    const name = `tx_${(this.savepoints += 1)}`;
    const back = this.buffered.mark();
    await this.manager.query(`SAVEPOINT ${name}`);
    try {
      const result = await work();
      await this.manager.query(`RELEASE SAVEPOINT ${name}`);
      return result;
    } catch (error) {
      back();
      await this.manager.query(`ROLLBACK TO SAVEPOINT ${name}`);
      await this.manager.query(`RELEASE SAVEPOINT ${name}`);
      throw error;
    }
  }

  afterCommit(work: () => void): void {
    this.buffered.addAfterwards(work);
  }

  /** The events, in the order in which they were published. From here on there can be no more. */
  close(): readonly PendingEvent[] {
    this.closed = true;
    return this.buffered.pending();
  }

  private buffer(
    contract: EventContract,
    reserved: boolean,
    encode: (meta: { id: string; time: Date; correlationId: string | undefined }) => WireMessage,
  ): void {
    const { type } = contract;
    // Work that was not waited for would lose its event, and nobody would know.
    if (this.closed) throw new TypeError(`${type} is published after the work of its transaction has ended`);
    if (!this.publications.has(contract)) {
      throw new TypeError(`${type} is not among the publications of this service`);
    }
    const eventId = newEventId();
    const message = encode({ id: eventId, time: new Date(), correlationId: correlationId() });
    const key = outboxKey(message.topic, message.key);
    if (!this.held.has(key)) {
      // The name of the key stays out of the message: errors are logged.
      throw new TypeError(
        `${type} is published under a key that the transaction has not claimed: its order would be lost`,
      );
    }
    this.buffered.add({ eventId, type, message, reserved });
  }
}

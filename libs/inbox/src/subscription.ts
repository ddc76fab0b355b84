import type { EventContract, ReceivedEvent } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';

/** What a service does with one kind of event. */
export interface SubscriptionOptions<Contract extends EventContract> {
  /** Handles one event inside the inbox's transaction. `event.data` is null where a key of a state topic was deleted. */
  handle(event: ReceivedEvent<Contract>, tx: Tx): Promise<void>;
  /** Handles a run of events of this contract at once, in order; used instead of `handle` where it is given. */
  handleBatch?(events: readonly ReceivedEvent<Contract>[], tx: Tx): Promise<void>;
  /** The outbox keys that the handler publishes under; it may `claim` more. */
  keys?(event: ReceivedEvent<Contract>): readonly string[];
  /** Handled although earlier messages of its key are parked: erasure, withdrawal, mail stop. */
  readonly overtakes?: boolean;
  /**
   * Why a parked event must not be handled any more although it could be: a revocation, objection or erasure came since.
   * Asked in the transaction of the replay; a stable code discards the event with that reason.
   */
  illegitimate?(event: ReceivedEvent<Contract>, tx: Tx): Promise<string | undefined>;
}

/** A contract with its handler, types forgotten: entries of a service's `subscriptions.ts`. */
export interface Subscription {
  readonly contract: EventContract;
  readonly overtakes: boolean;
  /** Whether it takes several events at once. */
  readonly batches: boolean;
  handle(events: readonly ReceivedEvent[], tx: Tx): Promise<void>;
  keys(event: ReceivedEvent): readonly string[];
  illegitimate(event: ReceivedEvent, tx: Tx): Promise<string | undefined>;
}

/** Binds a contract to its handler. */
export function subscribe<Contract extends EventContract>(
  contract: Contract,
  options: SubscriptionOptions<Contract>,
): Subscription {
  // Sound: the inbox hands a subscription only events that were decoded by its own contract.
  const own = (event: ReceivedEvent) => event as unknown as ReceivedEvent<Contract>;
  return {
    contract,
    overtakes: options.overtakes ?? false,
    batches: options.handleBatch !== undefined,
    keys: (event) => options.keys?.(own(event)) ?? [],
    illegitimate: async (event, tx) => options.illegitimate?.(own(event), tx),
    async handle(events, tx) {
      if (options.handleBatch !== undefined) return options.handleBatch(events.map(own), tx);
      for (const event of events) await options.handle(own(event), tx);
    },
  };
}

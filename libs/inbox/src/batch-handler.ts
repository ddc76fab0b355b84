import { setTimeout as pause } from 'node:timers/promises';
import { isPassing, NoRoom, tookTooLong } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import { chunksOf, keysOf } from './chunks.js';
import { Handling, type Delivery, type HandlingOptions } from './handling.js';
import type { Item } from './item.js';
import { endLockWaitsFirst } from './lock-waits.js';
import { parkingReason } from './parking-reason.js';
import { Progress } from './progress.js';

/** Into how many parts one that took too long is cut: each further cut takes as long again. */
const SLOW_PARTS = 16;
/** How often a message that fails for no passing reason is tried before it is parked. */
const TRIES = 3;
/** How often, with pauses, one is tried whose handler the database gives up each time. */
const SLOW_TRIES = 4;
const SLOW_PAUSE_MS = 1_000;

export interface BatchHandlerOptions extends HandlingOptions {
  readonly transactions: Transactions;
}

/** Gets messages of one topic into the database: exactly once each, in order per key, whatever one of them does. */
export class BatchHandler {
  private readonly handling: Handling;

  constructor(private readonly options: BatchHandlerOptions) {
    this.handling = new Handling(options);
  }

  /**
   * @param items gone through once, and no further than the work has come
   * @throws what may pass (try again with the same messages, read anew: those handled are skipped), and bugs of the inbox
   *   itself. Either way nothing is dropped: what is neither handled nor parked comes again.
   */
  async handle(items: Iterable<Item>, delivery: Delivery): Promise<void> {
    const progress = new Progress();
    for (const chunk of chunksOf(items)) if (!(await this.together(chunk, delivery, progress))) return;
    progress.assertNothingWaits();
  }

  /**
   * Where one of them fails, each half goes by itself, down to the one: the others lose nothing by it, in few
   * transactions. So do smaller parts where all take too long.
   * @returns whether to go on
   */
  private async together(given: readonly Item[], delivery: Delivery, progress: Progress): Promise<boolean> {
    if (!(await delivery.goesOn(progress))) return false;
    const items = given.filter((item) => !progress.holdsUp(item));
    const [first] = items;
    if (items.length === 1 && first !== undefined)
      return this.alone(first, delivery, progress).catch((error: unknown) => progress.wait(first, error));
    try {
      const keys = items.flatMap((item) => keysOf(item) ?? []);
      const isNew = await this.options.transactions.run(keys, (tx) => this.handling.handle(items, tx, delivery));
      progress.pass(items, isNew);
      return true;
    } catch (error) {
      if (isPassing(error) && !(error instanceof NoRoom) && !tookTooLong(error)) throw error;
      const size = Math.ceil(items.length / (tookTooLong(error) ? SLOW_PARTS : 2));
      for (let at = 0; at < items.length; at += size)
        if (!(await this.together(items.slice(at, at + size), delivery, progress))) return false;
      return true;
    }
  }

  /**
   * Parks it where it fails for a reason of its own. That it takes too long counts as one where the handler does: what
   * went before it in the same transaction shows that the database answers.
   * @returns whether to go on
   */
  private async alone(item: Item, delivery: Delivery, progress: Progress): Promise<boolean> {
    const { transactions } = this.options;
    for (let attempt = 1; ; attempt += 1) {
      let ofHandler: unknown;
      try {
        const keys = item.content.kind === 'event' ? item.content.subscription.keys(item.content.event) : [];
        const isNew = await transactions.run(keys, async (tx) => {
          await endLockWaitsFirst(tx);
          return this.handling.handle([item], tx, delivery, (error) => (ofHandler = error));
        });
        progress.pass([item], isNew);
        return true;
      } catch (error) {
        const isSlow = error === ofHandler && tookTooLong(error);
        if (isPassing(error) && !isSlow) throw error;
        const [most, last] = isSlow ? [SLOW_TRIES, 'takes-too-long'] : [TRIES, 'keeps-failing'];
        const reason = parkingReason(error) ?? (attempt < most ? undefined : last);
        if (reason !== undefined) {
          await transactions.run([], (tx) => this.handling.park({ item, reason, cause: error }, tx));
          progress.pass([item], true);
          return true;
        }
        if (isSlow) await pause(SLOW_PAUSE_MS);
        if (!(await delivery.goesOn())) return false;
      }
    }
  }
}

import { NoRoom } from '@castiron/failures';
import type { Item } from './item.js';

/** How far the work on a batch has come. */
export class Progress {
  /** Keys whose next message adds something to an outbox that is full: it comes again, and what follows it waits for it. */
  private readonly waiting = new Set<string>();
  private cause: NoRoom | undefined;
  private passed: Item | undefined;
  private didMore = false;

  /** The last that is handled or parked with all before it. */
  get done(): Item | undefined {
    return this.passed;
  }

  /** Whether the rest may be left for later: unless there is less of it by now, it would never come to its end. */
  get isAny(): boolean {
    return this.passed !== undefined || this.didMore;
  }

  /** @param isNew whether any of them had not been handled or parked before */
  pass(items: readonly Item[], isNew: boolean): void {
    if (this.cause === undefined) this.passed = items.at(-1) ?? this.passed;
    this.didMore ||= isNew;
  }

  /**
   * @returns that the others go on
   * @throws the error itself where it is another one
   */
  wait({ keyHash }: Item, error: unknown): true {
    if (!(error instanceof NoRoom)) throw error;
    this.cause = error;
    this.waiting.add(keyHash);
    return true;
  }

  holdsUp({ content, keyHash }: Item): boolean {
    if (content.kind === 'event' && content.subscription.overtakes) return false;
    return this.waiting.has(keyHash);
  }

  assertNothingWaits(): void {
    if (this.cause !== undefined) throw this.cause;
  }
}

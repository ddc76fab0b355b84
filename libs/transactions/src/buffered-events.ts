import type { PendingEvent } from './transaction.js';

/** Something of a transaction that is dropped when the savepoint around it is rolled back. */
export class Buffered {
  private events: PendingEvent[] = [];
  private afterwards: (() => void)[] = [];

  add(event: PendingEvent): void {
    this.events.push(event);
  }

  addAfterwards(work: () => void): void {
    this.afterwards.push(work);
  }

  /** Marks a point to return to. */
  mark(): () => void {
    const [events, afterwards] = [this.events.length, this.afterwards.length];
    return () => {
      this.events.length = events;
      this.afterwards.length = afterwards;
    };
  }

  pending(): readonly PendingEvent[] {
    return this.events;
  }

  /** What the commit has allowed to happen. */
  settle(): void {
    for (const work of this.afterwards) {
      try {
        work();
      } catch {
        // The commit stands; the caller must not take this for a failed transaction.
      }
    }
  }
}

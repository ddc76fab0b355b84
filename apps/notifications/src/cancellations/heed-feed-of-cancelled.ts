import type { EntityManager } from 'typeorm';
import { decideOnFeed, type Cancellation, type FeedState } from './cancellation.decision.js';
import { cancellationsOf, liftCancellation, putCancellation } from './cancellation.table.js';

/** The cancellations of some subjects, kept in step with their feed. */
export class CancellationsInStep {
  private readonly changed = new Set<string>();

  private constructor(
    private readonly manager: EntityManager,
    /** Those in effect. */
    private readonly known: Map<string, Cancellation>,
  ) {}

  static async of(manager: EntityManager, subjects: readonly string[]): Promise<CancellationsInStep> {
    return new CancellationsInStep(manager, await cancellationsOf(manager, subjects));
  }

  /** Of a subject in the order of its feed. */
  heed(subject: string, feed: FeedState): void {
    const cancellation = this.known.get(subject);
    const decision = cancellation === undefined ? 'keep' : decideOnFeed(cancellation, feed);
    if (cancellation === undefined || decision === 'keep') return;
    if (decision === 'lift') this.known.delete(subject);
    else this.known.set(subject, { ...cancellation, feedStopped: true });
    this.changed.add(subject);
  }

  async store(): Promise<void> {
    for (const subject of this.changed) {
      const cancellation = this.known.get(subject);
      if (cancellation === undefined) await liftCancellation(this.manager, subject);
      else await putCancellation(this.manager, subject, cancellation);
    }
  }
}

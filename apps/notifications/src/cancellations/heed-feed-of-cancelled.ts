import type { EntityManager } from 'typeorm';
import { decideOnFeed, type FeedState } from './cancellation.decision.js';
import { cancellationOf, liftCancellation, putCancellation } from './cancellation.table.js';

/** Keeps a subject's cancellation, if there is one, in step with its feed. */
export async function heedFeedOfCancelled(manager: EntityManager, subject: string, feed: FeedState): Promise<void> {
  const cancellation = await cancellationOf(manager, subject);
  if (cancellation === undefined) return;
  const decision = decideOnFeed(cancellation, feed);
  if (decision === 'lift') await liftCancellation(manager, subject);
  if (decision === 'mark-stopped') await putCancellation(manager, subject, { ...cancellation, feedStopped: true });
}

/** A cancellation that is in effect. */
export interface Cancellation {
  readonly at: Date;
  /** The subject's version when it came. */
  readonly version: number;
  /** Whether the feed has said `stopped` since, or said so at the time: partner-sharing knows of it. */
  readonly feedStopped: boolean;
}

/** What the feed says of a subject, with the time of the record. */
export interface FeedState {
  readonly version: number;
  readonly mailing: 'allowed' | 'stopped';
  readonly at: Date;
}

/**
 * What a record of the feed means for a cancellation. A record that still says `allowed` was made before partner-sharing
 * heard of the cancellation, and must not end it. Only after it said `stopped` is a later `allowed` a new permission.
 */
export function decideOnFeed(cancellation: Cancellation, feed: FeedState): 'keep' | 'mark-stopped' | 'lift' {
  if (feed.mailing === 'stopped')
    return feed.version > cancellation.version && !cancellation.feedStopped ? 'mark-stopped' : 'keep';
  return cancellation.feedStopped && feed.version > cancellation.version && feed.at > cancellation.at ? 'lift' : 'keep';
}

/** Whether partner-sharing must be told (again): not where the word it was sent still stands. */
export function isNews(before: Cancellation | undefined): boolean {
  return before === undefined || before.feedStopped;
}

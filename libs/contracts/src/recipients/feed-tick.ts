import type { WireMessage } from '../envelope.js';

/** Type of a record that says nothing; readers skip it. */
export const FEED_TICK_TYPE = 'feed.tick';

/** No subject's id. */
const TICK_KEY = '~tick';

/**
 * A record of a feed that is about nobody and names no entry of the ledger. It makes the broker roll a segment, so that
 * what was replaced is compacted away, or shows a partition the epoch of a lane's new owner.
 */
export function feedTick(topic: string, partition: number): WireMessage {
  return { topic, partition, key: TICK_KEY, value: null, headers: { ce_type: FEED_TICK_TYPE } };
}

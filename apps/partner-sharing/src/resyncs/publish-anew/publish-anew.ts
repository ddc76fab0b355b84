import type { Transactions } from '@castiron/transactions';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { makePending } from '../../shares/make-shares.js';
import { settleChunk, takeDueResync } from '../resync.table.js';

/** Shares at once: with the time from one chunk to the next, the rate at which all resyncs of a process go together. */
const CHUNK = 1_000;
const NIL = '00000000-0000-0000-0000-000000000000';

/**
 * Has a chunk of one recipient's records made anew, each with the next version. What never was on the feed stays off it, and
 * so does what is gone from it: reading it from its beginning tells as much.
 */
export function publishAnew(transactions: Transactions, signals: ReleaseSignals, chunk = CHUNK): Promise<void> {
  return transactions.run([], async (tx) => {
    const { manager } = tx;
    const resync = await takeDueResync(manager);
    if (resync === undefined) return;
    const shares: { id: string }[] = await manager.query(
      `SELECT id FROM shares WHERE recipient = $1 AND id > $2 AND state IN ('released', 'withdrawn') ORDER BY id LIMIT $3`,
      [resync.recipient, resync.position ?? NIL, chunk],
    );
    const ids = shares.map(({ id }) => id);
    await makePending(manager, ids, 'resync-requested');
    await settleChunk(manager, resync.recipient, ids.at(-1));
    tx.afterCommit(() => signals.tell('pending'));
  });
}

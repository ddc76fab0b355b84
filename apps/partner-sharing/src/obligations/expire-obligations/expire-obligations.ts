import type { Transactions } from '@castiron/transactions';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { makePending } from '../../shares/make-shares.js';

const CHUNK = 500;

/** Ends obligations that nobody confirmed in time; the feed's key may go then. @returns how many ended */
export function expireObligations(transactions: Transactions, signals: ReleaseSignals): Promise<number> {
  return transactions.run([], async (tx) => {
    const [rows]: [{ share: string }[], number] = await tx.manager.query(
      `UPDATE obligations SET state = 'expired', settled_at = clock_timestamp()
       WHERE id IN (SELECT id FROM obligations WHERE state = 'open' AND due_by < clock_timestamp()
                    ORDER BY due_by LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING share`,
      [CHUNK],
    );
    await makePending(tx.manager, [...new Set(rows.map(({ share }) => share))], 'obligation-settled');
    if (rows.length > 0) tx.afterCommit(() => signals.tell('pending'));
    return rows.length;
  });
}

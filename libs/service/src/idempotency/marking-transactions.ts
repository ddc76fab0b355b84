import { Transactions, type Tx } from '@castiron/transactions';
import { currentRequest } from './current-request.js';

/**
 * Transactions that mark the current request's `Idempotency-Key` as the last thing of their work: the mark commits with
 * the effect. What the service injects as `Transactions` is this.
 */
export class MarkingTransactions extends Transactions {
  override run<T>(keys: readonly string[], work: (tx: Tx) => Promise<T>): Promise<T> {
    return super.run(keys, async (tx) => {
      const request = currentRequest();
      // A transaction that starts again begins without the answer that was rolled back.
      if (request !== undefined) request.answered = false;
      const result = await work(tx);
      if (request !== undefined && !request.answered) await request.store.markEffect(tx.manager, request.hold);
      return result;
    });
  }
}

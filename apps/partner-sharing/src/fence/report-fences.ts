import { fenceStood } from '@castiron/contracts';
import type { Transactions } from '@castiron/transactions';
import { orderOfFences } from '../publications.js';

/** Below the most outbox keys of a transaction, for each may be of another customer. */
const CHUNK = 100;

/**
 * Tells customer-profiles of its withdrawals and erasures whose fence stands (G2).
 * @returns whether more may be waiting
 */
export function reportFences(transactions: Transactions): Promise<boolean> {
  return transactions.run([], async (tx) => {
    const [commands]: [{ id: string; customer: string; at: Date }[], number] = await tx.manager.query(
      `UPDATE commands SET done_at = clock_timestamp() WHERE id IN (
         SELECT id FROM commands AS waiting WHERE reported AND done_at IS NULL AND NOT EXISTS (
           SELECT FROM sending_records AS s WHERE s.customer = waiting.target AND s.customer_epoch < waiting.epoch)
         ORDER BY created_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)
       RETURNING id, customer, done_at AS at`,
      [CHUNK],
    );
    tx.claim(commands.map(({ customer }) => orderOfFences(customer)));
    for (const { id, customer, at } of commands)
      tx.publish(fenceStood, { customer, command: id, at: at.toISOString() }, { reserved: true });
    return commands.length === CHUNK;
  });
}

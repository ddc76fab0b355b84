import type { Logger } from '@castiron/observability';
import { every, type Part } from '@castiron/service';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { orderOfCancellation, publications } from '../publications.js';
import { subjectsToTellOf, takeToTellOf } from './cancellation.table.js';

/** Below the most outbox keys of a transaction. */
const AT_ONCE = 100;
const LOOK_EVERY_MS = 5_000;

/**
 * Tells partner-sharing of cancellations for which the outbox had no room when they came.
 * @throws NoRoom where it still has none
 */
export async function tellOfCancellations(dataSource: DataSource, transactions: Transactions): Promise<void> {
  const subjects = await subjectsToTellOf(dataSource.manager, AT_ONCE);
  if (subjects.length === 0) return;
  await transactions.run(subjects.map(orderOfCancellation), async (tx) => {
    for (const { subject, at } of await takeToTellOf(tx.manager, subjects))
      tx.publish(publications.mailingCancelled, { subject, at: at.toISOString() });
  });
}

/** The same from time to time, where there is room. */
export const tellingOfCancellations = (
  dataSource: DataSource,
  transactions: Transactions,
  room: { readonly isFull: boolean },
  logger: Logger,
): Part =>
  every(
    LOOK_EVERY_MS,
    'cancellations',
    async () => {
      if (!room.isFull) await tellOfCancellations(dataSource, transactions);
    },
    (error) => logger.warn({ err: error }, 'cancellations are told of later'),
  );

import type { DataSource } from 'typeorm';
import type { Logger } from '@castiron/observability';
import { MAX_KEYS } from '@castiron/transactions';

/**
 * Each key that a transaction publishes under is an advisory lock, and PostgreSQL has room for `max_locks_per_transaction`
 * times its connections, all databases together. Only told: few transactions hold many, and who finds no room is tried again.
 */
export async function tellOfLittleRoomForLocks(dataSource: DataSource, logger: Logger): Promise<void> {
  const [row] = await dataSource.query<{ locks: number }[]>(
    `SELECT setting::int AS locks FROM pg_settings WHERE name = 'max_locks_per_transaction'`,
  );
  if (row === undefined || row.locks >= MAX_KEYS) return;
  logger.warn(
    { max_locks_per_transaction: row.locks, wanted: MAX_KEYS },
    'the database may run out of locks: raise its max_locks_per_transaction',
  );
}

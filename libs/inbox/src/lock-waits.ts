import type { Tx } from '@castiron/transactions';

/** Waiting for a lock is to end before the statement does: it says something of others, and nothing of the message. */
export async function endLockWaitsFirst({ manager }: Tx): Promise<void> {
  await manager.query(
    `SELECT set_config('lock_timeout', (setting::int * 2 / 3)::text, true) FROM pg_settings WHERE name = 'statement_timeout'`,
  );
}

import type { Tx } from '@castiron/transactions';
import { lockShares } from '../shares/lock-shares.js';
import type { SendingRow } from './outcome.js';

/** Takes the rows of a batch that nobody settled before, and locks their shares. */
export async function takeStillSending({ manager }: Tx, rows: readonly SendingRow[]): Promise<readonly SendingRow[]> {
  const [taken]: [{ share: string }[], number] = await manager.query(
    'DELETE FROM sending_records WHERE batch = $1 AND share = ANY($2::uuid[]) RETURNING share',
    [rows[0]?.batch, rows.map(({ share }) => share)],
  );
  const mine = new Set(taken.map(({ share }) => share));
  await lockShares(manager, [...mine]);
  return rows.filter(({ share }) => mine.has(share));
}

import type { Tx } from '@castiron/transactions';
import { lockShares } from '../shares/lock-shares.js';
import type { SendingRow } from './outcome.js';

/** Takes the rows that nobody settled before, and locks their shares. */
export async function takeStillSending({ manager }: Tx, rows: readonly SendingRow[]): Promise<readonly SendingRow[]> {
  const [taken]: [{ share: string }[], number] = await manager.query(
    `DELETE FROM sending_records s USING unnest($1::uuid[], $2::uuid[]) AS taken (share, batch)
     WHERE s.share = taken.share AND s.batch = taken.batch RETURNING s.share`,
    [rows.map(({ share }) => share), rows.map(({ batch }) => batch)],
  );
  const mine = new Set(taken.map(({ share }) => share));
  await lockShares(manager, [...mine]);
  return rows.filter(({ share }) => mine.has(share));
}

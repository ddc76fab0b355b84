import type { EntityManager } from 'typeorm';
import { raiseEpoch } from '../epochs/epoch-locks.js';
import { makePending, makeShares, type PendingCause } from '../shares/make-shares.js';

/** Ends what was decided about a share before, and has it published anew. One that is yet to be made could be released otherwise. */
export async function closeShare(
  manager: EntityManager,
  { customer, recipient }: { readonly customer: string; readonly recipient: string },
  cause: PendingCause,
): Promise<void> {
  await makeShares(manager, [{ customer, recipient }]);
  const shares: { id: string }[] = await manager.query('SELECT id FROM shares WHERE customer = $1 AND recipient = $2', [
    customer,
    recipient,
  ]);
  for (const { id } of shares) await raiseEpoch(manager, 'share', id);
  await makePending(
    manager,
    shares.map(({ id }) => id),
    cause,
  );
}

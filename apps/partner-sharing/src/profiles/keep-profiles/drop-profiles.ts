import type { Tx } from '@castiron/transactions';
import { forgetDecidedOn } from '../../release/share-entry.table.js';
import { makePendingOfCustomers } from '../../shares/make-shares.js';
import { deleteProfiles } from './customer.table.js';

/** Nothing of these customers is shared any more; what recipients hold is withdrawn. The caller has locked their epochs. */
export async function dropProfiles({ manager }: Tx, customers: readonly string[]): Promise<void> {
  await deleteProfiles(manager, customers);
  await forgetDecidedOn(manager, customers);
  await makePendingOfCustomers(manager, customers, 'profile-deleted');
}

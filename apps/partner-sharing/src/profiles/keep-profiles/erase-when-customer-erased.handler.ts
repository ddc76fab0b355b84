import type { customerErased, ReceivedEvent } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import { addReported } from '../../commands/command.table.js';
import { lockEpochs } from '../../epochs/epoch-locks.js';
import { lockAudience } from '../../recipients/recipient.table.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { rememberErased } from './customer.table.js';
import { dropProfiles } from './drop-profiles.js';

/**
 * Ends all that is shared of erased customers, whether or not their profiles' deletion has come, which is on another topic;
 * who erased hears once nothing of them can get onto a feed any more.
 */
export function eraseWhenCustomerErased(signals: ReleaseSignals, forgetKeys: (customer: string) => void) {
  return async (events: readonly ReceivedEvent<typeof customerErased>[], tx: Tx): Promise<void> => {
    const erased = new Map(
      events.flatMap(({ data }) => (data === null ? [] : [[data.customer, data.command] as const])),
    );
    const customers = [...erased.keys()];
    if (customers.length === 0) return;
    await lockAudience(tx.manager, 'shared');
    // Sorted, and before anything is written: a release that is deciding about one of them ends first.
    await lockEpochs(tx.manager, 'customer', customers);
    await rememberErased(tx.manager, customers);
    await dropProfiles(tx, customers);
    await addReported(
      tx.manager,
      'erasure',
      [...erased].map(([customer, id]) => ({ id, customer })),
    );
    tx.afterCommit(() => {
      for (const customer of customers) forgetKeys(customer);
      signals.tell('pending');
      // There may be nothing to send, and so nothing to settle.
      signals.tell('settled');
    });
  };
}

import { Refused } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import { addCommand, erasureOf, type CommandState } from '../../commands/command.table.js';
import { deleteCustomer } from '../../profiles/profile.table.js';
import { noSuchCustomer } from '../../profiles/no-such-customer.js';
import { orderOfErasure, orderOfProfile, publications } from '../../publications.js';

const { customerErased, profileChanged } = publications;

/** Erases a customer: what is kept of them, at once, and the keys to every copy of it, right after. */
export class EraseCustomerUseCase {
  /** @param destroyKeys called after the commit; what it cannot do now is done later */
  constructor(
    private readonly transactions: Transactions,
    private readonly destroyKeys: () => Promise<unknown>,
  ) {}

  /** Erased once, a customer stays so: asked again, the answer is the same. @throws Refused not-found */
  async erase(customer: string): Promise<CommandState> {
    const erasure = await this.transactions.run(
      [orderOfProfile(customer), orderOfErasure(customer)],
      async (tx): Promise<CommandState> => {
        const known = await erasureOf(tx.manager, customer);
        if (known !== undefined) return known;
        if (!(await deleteCustomer(tx.manager, customer))) throw new Refused(noSuchCustomer);
        const command = await addCommand(tx.manager, { kind: 'erasure', customer });
        await tx.manager.query('INSERT INTO erasures (customer, command) VALUES ($1, $2)', [customer, command.id]);
        tx.tombstone(profileChanged, customer);
        const at = command.askedAt.toISOString();
        tx.publish(customerErased, { customer, command: command.id, at }, { reserved: true });
        return { ...command, fenceStoodAt: null, keysDestroyedAt: null };
      },
    );
    // The key store is another database, which may be away: the erasure stands all the same.
    await this.destroyKeys().catch(() => undefined);
    return erasure;
  }
}

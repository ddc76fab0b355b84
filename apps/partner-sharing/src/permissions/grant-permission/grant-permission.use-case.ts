import { valueOf } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import { agreementInForce } from '../../agreements/agreement.table.js';
import { orderOfPermission } from '../../publications.js';
import { erasedAmong } from '../../profiles/keep-profiles/customer.table.js';
import { recipientOf } from '../../recipients/recipient.table.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { makePendingOfCustomers, makeShares } from '../../shares/make-shares.js';
import { newestStatement } from '../../statements/statement.table.js';
import { announcePermission } from '../announce-permission.js';
import { permissionOf, storePermission, type Permission } from '../permission.table.js';
import { decideGrant, type Evidence } from './grant-permission.decision.js';

/** Grants a permission; the record follows as soon as the customer's profile is here. */
export class GrantPermissionUseCase {
  constructor(
    private readonly transactions: Transactions,
    private readonly signals: ReleaseSignals,
  ) {}

  grant(of: { customer: string; recipient: string; purpose: string }, evidence: Evidence): Promise<Permission> {
    const { customer, recipient: slug, purpose } = of;
    return this.transactions.run([orderOfPermission(customer, slug, purpose)], async (tx) => {
      const { manager } = tx;
      const recipient = await recipientOf(manager, slug);
      const agreement = await agreementInForce(manager, slug);
      const known = await permissionOf(manager, customer, slug, purpose);
      const erased = (await erasedAmong(manager, [customer])).has(customer);
      const facts = { recipient, agreement, known, newestStatement: await newestStatement(manager), erased };
      const permission = valueOf(decideGrant(facts, of, evidence, new Date()));
      if (permission === known) return known;
      await storePermission(manager, permission);
      await makeShares(manager, [{ customer, recipient: slug }]);
      await makePendingOfCustomers(manager, [customer], 'permission-granted', slug);
      announcePermission(tx, permission);
      tx.afterCommit(() => this.signals.tell('pending'));
      return permission;
    });
  }
}

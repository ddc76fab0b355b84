import type { Tx } from '@castiron/transactions';
import { orderOfPermission } from '../publications.js';
import { granted } from '../permissions/grant-permission/grant-permission.decision.js';
import { announcePermission } from '../permissions/announce-permission.js';
import { permissionOf, storePermission } from '../permissions/permission.table.js';
import { NOTIFIER } from '../release/notices-of.decision.js';

/** A customer who came by subscribing. */
export interface Subscriber {
  readonly customer: string;
  readonly registeredAt: Date;
  readonly statementVersion: number;
}

const HOW = 'subscription';

export const orderOfSubscription = (customer: string): string => orderOfPermission(customer, NOTIFIER, 'mailing');

/**
 * Subscribing is the permission to mail, recorded as such (P12, P16): once, and never against a later cancellation.
 * The caller's transaction holds the key, see {@link orderOfSubscription}.
 */
export async function recordSubscription(
  tx: Tx,
  { customer, registeredAt, statementVersion }: Subscriber,
): Promise<void> {
  if ((await permissionOf(tx.manager, customer, NOTIFIER, 'mailing')) !== undefined) return;
  const evidence = { how: HOW, givenAt: registeredAt, statementVersion };
  const permission = granted(customer, NOTIFIER, 'mailing', undefined, evidence, new Date());
  await storePermission(tx.manager, permission);
  announcePermission(tx, permission);
}

/** Whether there is somebody to mail by it yet. */
export async function mailsArePossible({ manager }: Tx): Promise<boolean> {
  const rows: unknown[] = await manager.query('SELECT 1 FROM recipients WHERE slug = $1', [NOTIFIER]);
  return rows.length > 0;
}

import { permissionChanged } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import type { Permission } from './permission.table.js';

export function announcePermission(tx: Tx, permission: Permission): void {
  const { customer, recipient, purpose, state, version, statementVersion, changedAt } = permission;
  const at = changedAt.toISOString();
  tx.publish(
    permissionChanged,
    { customer, recipient, purpose, state, version, statementVersion, at },
    { reserved: state === 'revoked' },
  );
}

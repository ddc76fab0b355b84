import { permissionChanged } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import type { Permission } from './permission.table.js';

/** @param reserved also where there is no room for what adds; by default, where it was revoked */
export function announcePermission(tx: Tx, permission: Permission, reserved = permission.state === 'revoked'): void {
  const { customer, recipient, purpose, state, version, statementVersion, changedAt } = permission;
  const at = changedAt.toISOString();
  tx.publish(permissionChanged, { customer, recipient, purpose, state, version, statementVersion, at }, { reserved });
}

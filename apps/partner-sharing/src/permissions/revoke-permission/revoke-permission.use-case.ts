import { isPurpose, type PurposeName } from '@castiron/contracts';
import { valueOf } from '@castiron/failures';
import type { Transactions, Tx } from '@castiron/transactions';
import { addCommand, type Command } from '../../commands/command.table.js';
import { raiseEpoch } from '../../epochs/epoch-locks.js';
import { orderOfPermission } from '../../publications.js';
import { recipientOf } from '../../recipients/recipient.table.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { makePending, makeShares } from '../../shares/make-shares.js';
import { announcePermission } from '../announce-permission.js';
import { refuseOwnUse, refusePurpose } from '../grant-permission/grant-permission.decision.js';
import { permissionOf, storePermission, storeRepeated, type Permission } from '../permission.table.js';
import { decideRevocation } from './revoke-permission.decision.js';

interface PurposeOf {
  readonly customer: string;
  readonly recipient: string;
  readonly purpose: PurposeName;
}

/** Revokes inside the caller's transaction, which holds the permission's outbox key. */
export async function revokeWithin(
  tx: Tx,
  of: PurposeOf,
  signals: ReleaseSignals,
): Promise<{ permission: Permission; command: Command }> {
  const { manager } = tx;
  const { customer, recipient } = of;
  const known = await permissionOf(manager, customer, recipient, of.purpose);
  const permission = decideRevocation(
    known,
    of,
    known?.statementVersion ?? (await statementOf(tx, customer)),
    new Date(),
  );
  // A share that is yet to be made could be released beside us: it must be there to be locked.
  await makeShares(manager, [{ customer, recipient }]);
  const rows: { id: string; epoch: string }[] = await manager.query(
    'SELECT id, epoch FROM shares WHERE customer = $1 AND recipient = $2',
    [customer, recipient],
  );
  const target = rows[0]?.id ?? '';
  const kind = 'permission-revocation';
  if (permission.version === known?.version) {
    await storeRepeated(manager, permission);
    // The answer waits for the same fence.
    const epoch = BigInt(rows[0]?.epoch ?? 0);
    return { permission, command: await addCommand(manager, { kind, customer, scope: 'share', target, epoch }) };
  }
  const epoch = await raiseEpoch(manager, 'share', target);
  await storePermission(manager, permission);
  await makePending(manager, [target], 'permission-revoked');
  announcePermission(tx, permission);
  tx.afterCommit(() => signals.tell('pending'));
  return { permission, command: await addCommand(manager, { kind, customer, scope: 'share', target, epoch }) };
}

async function statementOf({ manager }: Tx, customer: string): Promise<number> {
  const rows: { version: number }[] = await manager.query(
    'SELECT statement_version AS version FROM customers WHERE id = $1',
    [customer],
  );
  return rows[0]?.version ?? 1;
}

/** Revokes a permission, which is an objection to cooperation too. Needs nothing but this database. */
export class RevokePermissionUseCase {
  constructor(
    private readonly transactions: Transactions,
    private readonly signals: ReleaseSignals,
  ) {}

  revoke(of: {
    customer: string;
    recipient: string;
    purpose: string;
  }): Promise<{ permission: Permission; command: Command }> {
    const { customer, recipient, purpose } = of;
    return this.transactions.run([orderOfPermission(customer, recipient, purpose)], async (tx) => {
      const known = isPurpose(purpose) ? purpose : valueOf(refusePurpose());
      const ownUse = refuseOwnUse(await recipientOf(tx.manager, recipient), known);
      if (ownUse !== undefined) valueOf(ownUse);
      return revokeWithin(tx, { customer, recipient, purpose: known }, this.signals);
    });
  }
}

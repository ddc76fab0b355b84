import { agreementChanged, agreementNotice, type DataOf } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import type { EntityManager } from 'typeorm';
import { orderOfAgreement, orderOfDuties } from '../publications.js';
import { addSweep } from '../sweeps/sweep.table.js';
import type { Agreement } from './agreement.table.js';

/** What a transaction that changes an agreement must hold: it also keeps such transactions apart. */
export const ordersOfAgreement = (id: string, recipient: string): string[] => [
  orderOfAgreement(id),
  orderOfDuties(recipient, id),
];

/** Tells everyone, the recipient too. */
export function announceAgreement(
  tx: Tx,
  agreement: Pick<Agreement, 'id' | 'recipient'>,
  state: DataOf<typeof agreementNotice>['state'],
  epoch: bigint,
  now: Date,
): void {
  const at = now.toISOString();
  const { id, recipient } = agreement;
  const reserved = state === 'terminated';
  tx.publish(agreementChanged, { agreement: id, recipient, state, epoch: Number(epoch), at }, { reserved });
  tx.publish(agreementNotice, { agreement: id, state, at }, { slug: recipient, reserved });
}

/**
 * Asks for the shares of an agreement whose term has begun: those by cooperation are made, those that customers
 * permitted (perhaps under a former agreement) are published anew.
 */
export async function startSharing(manager: EntityManager, agreement: Agreement): Promise<void> {
  await manager.query('UPDATE agreements SET started = true WHERE id = $1', [agreement.id]);
  const { recipient } = agreement;
  if (agreement.purposes.some(({ ground }) => ground === 'cooperation')) {
    await addSweep(manager, { kind: 'make-shares', recipient, cause: 'agreement-in-force' });
  }
  await addSweep(manager, { kind: 'renew-shares', recipient, cause: 'agreement-in-force' });
}

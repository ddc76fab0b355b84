import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { PendingCause } from '../shares/make-shares.js';

/**
 * `make-shares`: of every customer that this recipient may have without being asked for; `renew-shares`: publish every
 * share of the recipient anew. Either may be about ten million, so they are done in chunks, in the background.
 */
export interface Sweep {
  readonly kind: 'make-shares' | 'renew-shares';
  readonly recipient: string;
  readonly cause: PendingCause;
}

export async function addSweep(manager: EntityManager, { kind, recipient, cause }: Sweep): Promise<void> {
  await manager.query('INSERT INTO sweeps (id, kind, recipient, cause) VALUES ($1, $2, $3, $4)', [
    randomUUID(),
    kind,
    recipient,
    cause,
  ]);
}

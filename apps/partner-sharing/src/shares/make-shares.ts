import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { lockEpochsShared } from '../epochs/epoch-locks.js';
import { laneOf } from './feed-lanes.js';

export interface ShareOf {
  readonly customer: string;
  readonly recipient: string;
}

/**
 * Makes the shares that are missing. Subject ids are random per recipient, so two recipients cannot join them (G7).
 *
 * Their customers' epochs are locked until the commit: a profile that arrives meanwhile cannot see a new share to have it
 * published, and what is decided about the share before that profile's commit knows no such customer. So one of the two
 * waits for the other.
 */
export async function makeShares(manager: EntityManager, wanted: readonly ShareOf[]): Promise<void> {
  const missing = await missingOf(manager, wanted);
  if (missing.length === 0) return;
  await lockEpochsShared(manager, { agreement: [], customer: missing.map(({ customer }) => customer), share: [] });
  const subjects = missing.map(() => randomUUID());
  await manager.query(
    `INSERT INTO shares (id, customer, recipient, subject, lane)
     SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::smallint[])
     ON CONFLICT (customer, recipient) DO NOTHING`,
    [
      missing.map(() => randomUUID()),
      missing.map(({ customer }) => customer),
      missing.map(({ recipient }) => recipient),
      subjects,
      subjects.map(laneOf),
    ],
  );
}

/** Each once, and in one order for all, so that no two transactions wait for each other's rows. */
async function missingOf(manager: EntityManager, wanted: readonly ShareOf[]): Promise<readonly ShareOf[]> {
  if (wanted.length === 0) return [];
  return manager.query(
    `SELECT DISTINCT w.customer, w.recipient FROM unnest($1::uuid[], $2::text[]) AS w (customer, recipient)
     WHERE NOT EXISTS (SELECT 1 FROM shares s WHERE s.customer = w.customer AND s.recipient = w.recipient)
     ORDER BY w.customer, w.recipient`,
    [wanted.map(({ customer }) => customer), wanted.map(({ recipient }) => recipient)],
  );
}

/** Why a share's record is to be made anew. */
export type PendingCause =
  | 'permission-granted'
  | 'permission-revoked'
  | 'objection-changed'
  | 'agreement-in-force'
  | 'agreement-terminated'
  | 'profile-changed'
  | 'profile-deleted'
  | 'recipient-registered'
  | 'obligation-settled'
  /** A send did not commit: what it may have shown is to be replaced, even by the same. */
  | 'aborted'
  | 'resync-requested'
  /** Who reported it must see a record that was made with it. */
  | 'mailing-cancelled';

/** Marks shares of these customers (optionally of one recipient) to be published anew. */
export async function makePendingOfCustomers(
  manager: EntityManager,
  customers: readonly string[],
  cause: PendingCause,
  recipient?: string,
): Promise<void> {
  await manager.query(
    `INSERT INTO pending_releases (lane, share, cause)
     SELECT lane, id, $2 FROM shares WHERE customer = ANY($1::uuid[]) AND ($3::text IS NULL OR recipient = $3)`,
    [customers, cause, recipient ?? null],
  );
}

export async function makePending(
  manager: EntityManager,
  shares: readonly string[],
  cause: PendingCause,
): Promise<void> {
  await manager.query(
    'INSERT INTO pending_releases (lane, share, cause) SELECT lane, id, $2 FROM shares WHERE id = ANY($1::uuid[])',
    [shares, cause],
  );
}

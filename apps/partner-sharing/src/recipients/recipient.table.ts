import type { RecipientKind } from '@castiron/contracts';
import { Refused } from '@castiron/failures';
import type { EntityManager } from 'typeorm';
import type { ListedPurpose } from '../confidentiality/facts.js';

export interface Recipient {
  readonly slug: string;
  readonly name: string;
  readonly kind: RecipientKind;
  /** null for partners: an agreement says what they may have. */
  readonly purposes: readonly ListedPurpose[] | null;
  readonly provisioned: boolean;
}

const COLUMNS = 'slug, name, kind, purposes, provisioned_at IS NOT NULL AS provisioned';

export async function findRecipient(manager: EntityManager, slug: string): Promise<Recipient | undefined> {
  const rows: Recipient[] = await manager.query(`SELECT ${COLUMNS} FROM recipients WHERE slug = $1`, [slug]);
  return rows[0];
}

/** @throws Refused not-found */
export async function recipientOf(manager: EntityManager, slug: string): Promise<Recipient> {
  const recipient = await findRecipient(manager, slug);
  if (recipient === undefined) {
    throw new Refused({
      kind: 'not-found',
      code: 'no-such-recipient',
      detail: 'No recipient has this slug.',
      field: 'recipient',
    });
  }
  return recipient;
}

/**
 * @param field of the request, that named it
 * @throws Refused conflict where its topics, principal and rules do not stand on the broker yet
 */
export function assertProvisioned({ provisioned }: Recipient, field: string): void {
  if (provisioned) return;
  const detail = 'Its place on the broker is not ready: register it again.';
  throw new Refused({ kind: 'conflict', code: 'recipient-not-provisioned', detail, field, promise: 'P8' });
}

export async function allRecipients(manager: EntityManager): Promise<readonly Recipient[]> {
  return manager.query(`SELECT ${COLUMNS} FROM recipients ORDER BY slug`);
}

/** False where there is one with this slug already. */
export async function addRecipient(
  manager: EntityManager,
  recipient: Omit<Recipient, 'provisioned'>,
): Promise<boolean> {
  const rows: unknown[] = await manager.query(
    `INSERT INTO recipients (slug, name, kind, purposes) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING slug`,
    [
      recipient.slug,
      recipient.name,
      recipient.kind,
      recipient.purposes === null ? null : JSON.stringify(recipient.purposes),
    ],
  );
  return rows.length > 0;
}

export async function markProvisioned(manager: EntityManager, slug: string): Promise<void> {
  await manager.query('UPDATE recipients SET provisioned_at = clock_timestamp() WHERE slug = $1', [slug]);
}

/**
 * Taken shared by whatever makes the shares of new customers, and exclusively by whatever adds a recipient or puts an
 * agreement into force: a customer that arrives meanwhile is seen by one of the two.
 */
const WHO_GETS_NEW_CUSTOMERS = [0x5245_4349, 1] as const;

export async function lockAudience(manager: EntityManager, mode: 'shared' | 'exclusive'): Promise<void> {
  const lock = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  await manager.query(`SELECT ${lock}($1, $2)`, [...WHO_GETS_NEW_CUSTOMERS]);
}

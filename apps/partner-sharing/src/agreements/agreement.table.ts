import type { Tier } from '@castiron/contracts';
import { Refused } from '@castiron/failures';
import type { EntityManager } from 'typeorm';
import type { AgreedPurpose } from '../confidentiality/facts.js';

export const SIDES = ['company', 'partner'] as const;
export type Side = (typeof SIDES)[number];

/** Who signed for a side, in which role, and when. */
export interface Signature {
  readonly name: string;
  readonly role: string;
  /** The id of the account that signed. */
  readonly by: string;
  readonly at: string;
}

export interface Agreement {
  readonly id: string;
  readonly recipient: string;
  readonly state: 'drafted' | 'in-force' | 'terminated';
  readonly purposes: readonly AgreedPurpose[];
  readonly highestTier: Tier;
  readonly from: Date;
  readonly until: Date;
  readonly daysToDelete: number;
  readonly epoch: string;
  readonly signatures: Readonly<Partial<Record<Side, Signature>>>;
  readonly enteredAt: Date | null;
  readonly terminatedAt: Date | null;
  readonly terminationReason: string | null;
}

const COLUMNS = `id, recipient, state, purposes, highest_tier AS "highestTier", valid_from AS "from", valid_until AS "until", days_to_delete AS "daysToDelete", epoch,
  jsonb_strip_nulls(jsonb_build_object('company', company_signature, 'partner', partner_signature)) AS signatures,
  entered_at AS "enteredAt", terminated_at AS "terminatedAt", termination_reason AS "terminationReason"`;

export const noSuchAgreement = (): Refused =>
  new Refused({
    kind: 'not-found',
    code: 'no-such-agreement',
    detail: 'No agreement has this id.',
    field: 'agreement',
  });

/** @throws Refused not-found */
export async function agreementOf(
  manager: EntityManager,
  id: string,
  lock: '' | 'FOR UPDATE' = '',
): Promise<Agreement> {
  const rows: Agreement[] = await manager.query(`SELECT ${COLUMNS} FROM agreements WHERE id = $1 ${lock}`, [id]);
  const [agreement] = rows;
  if (agreement === undefined) throw noSuchAgreement();
  return agreement;
}

export async function allAgreements(manager: EntityManager, recipient?: string): Promise<readonly Agreement[]> {
  return manager.query(
    `SELECT ${COLUMNS} FROM agreements WHERE $1::text IS NULL OR recipient = $1 ORDER BY created_at, id`,
    [recipient ?? null],
  );
}

/** The one in force whose term is not over; its term may not have begun. */
export async function agreementInForce(manager: EntityManager, recipient: string): Promise<Agreement | undefined> {
  const rows: Agreement[] = await manager.query(
    `SELECT ${COLUMNS} FROM agreements WHERE recipient = $1 AND state = 'in-force' AND valid_until > clock_timestamp()`,
    [recipient],
  );
  return rows[0];
}

/** As it is shown over HTTP. */
export const viewOf = ({
  id,
  recipient,
  state,
  purposes,
  highestTier,
  from,
  until,
  daysToDelete,
  ...rest
}: Agreement) => ({
  agreement: id,
  recipient,
  state,
  epoch: Number(rest.epoch),
  terms: { purposes, highestTier, from: from.toISOString(), until: until.toISOString(), daysToDelete },
  signatures: rest.signatures,
  enteredAt: rest.enteredAt?.toISOString() ?? null,
  terminatedAt: rest.terminatedAt?.toISOString() ?? null,
  terminationReason: rest.terminationReason,
});

export type AgreementView = ReturnType<typeof viewOf>;

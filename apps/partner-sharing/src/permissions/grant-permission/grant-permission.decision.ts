import { isPurpose, PURPOSES, type PurposeName } from '@castiron/contracts';
import { ok, refused, type Result } from '@castiron/failures';
import type { Agreement } from '../../agreements/agreement.table.js';
import type { Recipient } from '../../recipients/recipient.table.js';
import type { Permission } from '../permission.table.js';

/** How and when a customer gave a permission, and under which statement. */
export interface Evidence {
  readonly how: string;
  readonly givenAt: Date;
  readonly statementVersion: number;
}

export interface GrantFacts {
  readonly recipient: Recipient;
  readonly agreement: Agreement | undefined;
  readonly known: Permission | undefined;
  /** The newest version of the privacy statement; 0 while none is known here. */
  readonly newestStatement: number;
  readonly erased: boolean;
}

/** Clocks differ a little; a permission given next week does not. */
const CLOCK_SKEW_MS = 5 * 60_000;

/** The permission to store, or the known one where nothing changes (P8). Pure. */
export function decideGrant(
  { recipient, agreement, known, newestStatement, erased }: GrantFacts,
  of: { readonly customer: string; readonly purpose: string },
  evidence: Evidence,
  now: Date,
): Result<Permission> {
  const { purpose } = of;
  if (!isPurpose(purpose)) return refusePurpose();
  if (erased) {
    return refused({
      kind: 'conflict',
      code: 'customer-erased',
      field: 'customer',
      detail: 'This customer was erased: there is nothing left that could be shared.',
      promise: 'P8',
    });
  }
  if (evidence.givenAt.getTime() > now.getTime() + CLOCK_SKEW_MS) {
    return refused({
      kind: 'invalid',
      code: 'given-in-the-future',
      field: 'givenAt',
      detail: 'A permission is given before it is recorded.',
      promise: 'P8',
    });
  }
  // One that was taken back is none, though a clock that goes ahead makes it look newer.
  if (
    known?.state === 'revoked' &&
    (isSame(known, evidence) || evidence.givenAt.getTime() <= known.changedAt.getTime())
  ) {
    return refused({
      kind: 'conflict',
      code: 'given-before-revocation',
      field: 'givenAt',
      detail: 'The customer took this permission back later than that: only a newer one counts.',
      promise: 'P8',
    });
  }
  // Where none is known it must not be believed either, but it may be true: asking again helps.
  if (newestStatement === 0) {
    return refused({
      kind: 'unavailable',
      code: 'no-statement-yet',
      detail: 'The privacy statement has not arrived here yet. Ask again.',
      field: 'statementVersion',
      promise: 'P17',
    });
  }
  if (evidence.statementVersion < 1 || evidence.statementVersion > newestStatement) {
    return refused({
      kind: 'invalid',
      code: 'unknown-statement',
      field: 'statementVersion',
      detail: `The privacy statement has no such version: the newest is ${newestStatement}.`,
      promise: 'P17',
    });
  }
  const ownUse = refuseOwnUse(recipient, purpose);
  if (ownUse !== undefined) return ownUse;
  if (recipient.kind !== 'internal' && agreement === undefined) {
    return refused({
      kind: 'unprocessable',
      code: 'no-agreement-in-force',
      field: 'recipient',
      detail: 'This recipient has no Agreement of confidentiality in force.',
      promise: 'P8',
    });
  }
  const listed = recipient.kind === 'internal' ? (recipient.purposes ?? []) : (agreement?.purposes ?? []);
  if (!listed.some((one) => one.purpose === purpose)) {
    return refused({
      kind: 'unprocessable',
      code: 'purpose-not-listed',
      field: 'purpose',
      detail: 'Neither agreement nor registration of this recipient lists the purpose.',
      promise: 'P8',
    });
  }
  if (known?.state === 'granted' && isSame(known, evidence)) return ok(known);
  return ok(granted(of.customer, recipient.slug, purpose, known, evidence, now));
}

/** The next version of a permission, granted. */
export function granted(
  customer: string,
  recipient: string,
  purpose: PurposeName,
  known: Permission | undefined,
  evidence: Evidence,
  now: Date,
): Permission {
  return {
    customer,
    recipient,
    purpose,
    state: 'granted',
    version: (known?.version ?? 0) + 1,
    ...evidence,
    changedAt: now,
  };
}

/** Inside the house such a purpose has a ground of its own: granting would change nothing, and revoking would stop nothing. */
export function refuseOwnUse(recipient: Recipient, purpose: PurposeName): Result<never> | undefined {
  if (recipient.kind !== 'internal' || PURPOSES[purpose].permissionOnly) return undefined;
  return refused({
    kind: 'conflict',
    code: 'not-by-permission',
    field: 'purpose',
    detail: 'Our own service does this without a permission; only recommendations and mailings rest on one.',
    promise: 'P12',
  });
}

export const refusePurpose = (): Result<never> =>
  refused({
    kind: 'invalid',
    code: 'unknown-purpose',
    field: 'purpose',
    detail: 'The catalogue has no such purpose.',
    promise: 'P1',
  });

const isSame = (known: Permission, evidence: Evidence): boolean =>
  known.how === evidence.how &&
  known.givenAt?.getTime() === evidence.givenAt.getTime() &&
  known.statementVersion === evidence.statementVersion;

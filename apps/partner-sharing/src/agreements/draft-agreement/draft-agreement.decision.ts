import { PURPOSES, type AttributeName, type PurposeName, type Tier } from '@castiron/contracts';
import { ok, refused, type Result } from '@castiron/failures';
import type { AgreedPurpose } from '../../confidentiality/facts.js';
import type { Recipient } from '../../recipients/recipient.table.js';
import { unlisted } from '../../recipients/register-recipient/register-recipient.decision.js';

export interface Terms {
  readonly purposes: readonly { readonly purpose: string; readonly attributes: readonly string[]; readonly ground: 'permission' | 'cooperation' }[];
  readonly highestTier: Tier;
  readonly from: Date;
  readonly until: Date;
}

export interface DraftedTerms extends Omit<Terms, 'purposes'> {
  readonly purposes: readonly AgreedPurpose[];
}

/** An agreement lists, per purpose, attributes that the catalogue knows for it (P1, P8). Pure. */
export function decideDraft(recipient: Recipient, terms: Terms, now: Date): Result<DraftedTerms> {
  const refuse = (code: string, field: string, detail: string, promise = 'P8') =>
    refused({ kind: 'invalid', code, field, detail, promise });
  if (recipient.kind === 'internal') {
    return refuse('recipient-internal', 'recipient', 'An internal recipient has registered purposes and no agreement.');
  }
  const stranger = unlisted(terms.purposes, 'terms.purposes');
  if (stranger !== undefined) return refuse('not-in-catalogue', stranger.field, stranger.detail);
  const purposes = terms.purposes.map(({ purpose, attributes, ground }) => ({
    purpose: purpose as PurposeName,
    attributes: [...new Set(attributes)] as AttributeName[],
    ground,
  }));
  const asserted = purposes.findIndex(({ purpose, ground }) => ground === 'cooperation' && PURPOSES[purpose].permissionOnly);
  if (asserted >= 0) {
    const promise = purposes[asserted]?.purpose === 'mailing' ? 'P16' : 'P2';
    return refuse('permission-only', `terms.purposes.${asserted}.ground`, 'This purpose rests on permission only.', promise);
  }
  if (terms.until <= terms.from || terms.until <= now) {
    return refuse('term-over', 'terms.until', 'The term must end after it begins, and after now.');
  }
  return ok({ ...terms, purposes });
}

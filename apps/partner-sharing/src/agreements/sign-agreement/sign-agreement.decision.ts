import { ok, refused, type Result } from '@castiron/failures';
import type { Agreement, Side } from '../agreement.table.js';
import { notFrom } from '../agreement-states.js';

/** Whoever signs: the account, and for whom it may speak. */
export interface Signer {
  readonly sub: string;
  readonly isPrivacyOfficer: boolean;
  readonly isPartner: boolean;
}

/** `repeated`: the side has signed already, so that nothing changes; `completes`: with it both sides have. */
export type Signing = 'first' | 'completes' | 'repeated';

/** Each side signs for itself, once, and nobody signs for both (P8). Pure. */
export function decideSigning(agreement: Agreement, side: Side, signer: Signer, now: Date): Result<Signing> {
  const { signatures } = agreement;
  const other = signatures[side === 'company' ? 'partner' : 'company'];
  const maySign = side === 'company' ? signer.isPrivacyOfficer : signer.isPartner && signer.sub === agreement.recipient;
  if (!maySign || other?.by === signer.sub) {
    return refused({
      kind: 'forbidden',
      code: 'not-your-side',
      detail: 'Each side signs for itself.',
      field: 'side',
      promise: 'P8',
    });
  }
  if (agreement.state === 'terminated') return notFrom(agreement.state, 'This agreement can no longer be signed.');
  if (signatures[side] !== undefined) return ok('repeated');
  if (!(now < agreement.until)) {
    return refused({
      kind: 'conflict',
      code: 'term-over',
      detail: 'The term of this agreement is over.',
      field: 'terms.until',
      promise: 'P8',
    });
  }
  return ok(other === undefined ? 'first' : 'completes');
}

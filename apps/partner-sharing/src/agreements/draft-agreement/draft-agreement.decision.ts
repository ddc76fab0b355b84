import { PURPOSES, type AttributeName, type PurposeName, type Tier } from '@castiron/contracts';
import { ok, refused, type Result } from '@castiron/failures';
import type { AgreedPurpose } from '../../confidentiality/facts.js';
import type { Recipient } from '../../recipients/recipient.table.js';
import { DAYS_TO_DELETE } from '../../obligations/days-to-delete.js';
import { unlisted } from '../../recipients/register-recipient/register-recipient.decision.js';

export interface Terms {
  readonly purposes: readonly {
    readonly purpose: string;
    readonly attributes: readonly string[];
    readonly ground: 'permission' | 'cooperation';
  }[];
  readonly highestTier: Tier;
  readonly from: Date;
  readonly until: Date;
  /** How long the partner has to delete what is withdrawn; {@link DAYS_TO_DELETE} unless told. */
  readonly daysToDelete?: number;
}

export interface DraftedTerms extends Omit<Terms, 'purposes'> {
  readonly purposes: readonly AgreedPurpose[];
  readonly daysToDelete: number;
}

/** The promise that asks for permission, for the purposes that rest on nothing else. */
const promiseOf = (purpose: PurposeName): string =>
  purpose === 'mailing' ? 'P16' : purpose === 'recommendation' ? 'P2' : 'P13';

/**
 * What an agreement may list: purposes and attributes of the catalogue (P1, P8), and cooperation only inside the network
 * (P4, P13) and never where the customer must have permitted it (P2, P16). Tiers are judged when data is released. Pure.
 */
export function decideDraft(
  recipient: Pick<Recipient, 'kind'> | undefined,
  terms: Terms,
  now: Date,
): Result<DraftedTerms> {
  const refuse = (code: string, field: string, detail: string, promise = 'P8') =>
    refused({ kind: 'invalid', code, field, detail, promise });
  if (recipient === undefined) return refuse('no-such-recipient', 'recipient', 'No recipient has this slug.');
  if (recipient.kind === 'internal') {
    return refuse('recipient-internal', 'recipient', 'An internal recipient has registered purposes and no agreement.');
  }
  if (terms.purposes.length === 0)
    return refuse('purposes-required', 'terms.purposes', 'An agreement lists its purposes.');
  const stranger = unlisted(terms.purposes, 'terms.purposes');
  if (stranger !== undefined) return refuse('not-in-catalogue', stranger.field, stranger.detail);
  const purposes = terms.purposes.map(({ purpose, attributes, ground }) => ({
    purpose: purpose as PurposeName,
    attributes: [...new Set(attributes)] as AttributeName[],
    ground,
  }));
  for (const [index, { purpose, ground }] of purposes.entries()) {
    const field = `terms.purposes.${index}.ground`;
    if (purposes.findIndex((one) => one.purpose === purpose && one.ground === ground) < index) {
      return refuse('purpose-listed-twice', `terms.purposes.${index}`, 'A purpose stands once per ground.');
    }
    if (ground !== 'cooperation') continue;
    if (PURPOSES[purpose].permissionOnly) {
      return refuse('permission-only', field, `The purpose ${purpose} rests on permission only.`, promiseOf(purpose));
    }
    if (recipient.kind !== 'network-member') {
      return refuse(
        'cooperation-outside-the-network',
        field,
        'Cooperation is a ground for members of the network only.',
        'P13',
      );
    }
  }
  // Asked so that a broken date refuses too.
  if (!(terms.from < terms.until))
    return refuse('term-without-length', 'terms.until', 'The term must end after it begins.');
  if (!(now < terms.until)) return refuse('term-over', 'terms.until', 'The term is over already.');
  return ok({ ...terms, purposes, daysToDelete: terms.daysToDelete ?? DAYS_TO_DELETE });
}

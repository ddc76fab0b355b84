import type { AttributeName, Ground, PurposeName } from '@castiron/contracts';
import type { ClauseName } from './clauses.js';

/**
 * The version of the clauses, written into every ledger entry: it grows with every change of what they allow, so that
 * an entry can be judged later by the policy it was made under.
 */
export const POLICY_VERSION = '1';

export interface AllowedPurpose {
  readonly purpose: PurposeName;
  /** The ground that holds; where several do: permission before cooperation before own-purpose. */
  readonly ground: Ground;
}

/** What may be on the feed: attributes in the catalogue's order, purposes likewise, each with at least one purpose. */
export type AllowedAttributes = Readonly<
  Partial<Record<AttributeName, { readonly purposes: readonly AllowedPurpose[] }>>
>;

/** One clause that refused one attribute for one purpose. */
export interface ClauseRefusal {
  readonly attribute: AttributeName;
  readonly purpose: PurposeName;
  readonly clause: ClauseName;
  /** Why, in plain words and without personal data. */
  readonly detail: string;
}

export interface Decision {
  readonly attributes: AllowedAttributes;
  /** For what the recipient asks, or the customer permitted, and does not go: every clause that refused. */
  readonly refusals: readonly ClauseRefusal[];
}

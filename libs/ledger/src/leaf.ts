export type EntryKind = 'released' | 'withdrawn' | 'tombstone' | 'withheld' | 'aborted';

/** A purpose of an attribute and the ground it rests on. */
export interface LeafPurpose {
  readonly purpose: string;
  readonly ground: string;
}

export interface LeafAttribute {
  readonly name: string;
  readonly purposes: readonly LeafPurpose[];
  /** Over the value; missing where no value was meant to go (`withheld`). Base64url. */
  readonly commitment?: string;
}

/**
 * One entry of the ledger, as it is hashed. It holds no personal data: no customer, no subject, and of every value a
 * commitment that only the record's `opening` opens. 64-bit integers are strings.
 */
export interface Leaf {
  readonly v: 1;
  /** UUID of the entry. */
  readonly id: string;
  readonly kind: EntryKind;
  /** The entry whose record this one reports as `aborted`. */
  readonly of?: string;
  /** Whether the aborted record may have reached a reader. */
  readonly reached?: 'no' | 'maybe';
  /** RFC 3339, UTC. */
  readonly at: string;
  /** The recipient's slug. */
  readonly recipient: string;
  /** `ce_id` of the record; null where there is none (`withheld`). */
  readonly recordId: string | null;
  /** The record's version, a 64-bit integer; null where there is none. */
  readonly version: string | null;
  /** The agreement the release rests on; null for internal recipients. */
  readonly agreement: string | null;
  readonly policyVersion: string;
  /** Commitment over the recipient's subject id. Base64url. */
  readonly subject: string;
  /** Sorted by name. */
  readonly attributes: readonly LeafAttribute[];
}

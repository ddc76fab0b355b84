import type { EntryKind, Leaf, LeafPurpose } from './leaf.js';

/** What an attribute of a record carries: a value, or word that it is kept and not used. */
export interface DraftAttribute {
  readonly purposes: readonly LeafPurpose[];
  /** Missing together with `held` only in a `withheld` entry. */
  readonly value?: string;
  readonly held?: 'disputed';
}

/** What an entry is composed of; `subject` and values are committed to and do not get into the leaf. */
export interface EntryDraft {
  /** UUIDv7. */
  readonly id: string;
  readonly kind: EntryKind;
  readonly of?: string;
  readonly reached?: 'no' | 'maybe';
  readonly at: Date;
  readonly recipient: string;
  readonly recordId: string | null;
  /** The version the record carries. */
  readonly version: number | bigint | null;
  readonly agreement: string | null;
  readonly policyVersion: string;
  /** The recipient's subject id. */
  readonly subject: string;
  readonly attributes: Readonly<Record<string, DraftAttribute | undefined>>;
}

/** An entry ready to be appended, and what opens its commitments: that belongs on the record, never in the ledger. */
export interface ComposedEntry {
  readonly leaf: Leaf;
  /** RFC 8785 JSON of the leaf, below 64 KiB. */
  readonly bytes: Buffer;
  /** RFC 9162 section 2.1.1, 32 bytes. */
  readonly leafHash: Buffer;
  readonly openings: {
    /** `opening` of the record. Base64url. */
    readonly subject: string;
    /** `opening` of each attribute. Base64url. */
    readonly attributes: Readonly<Record<string, string>>;
  };
}

/** Gives the salt of one field of one entry. */
export type Salts = (entry: string, field: string) => Buffer;

/** Composes an entry: `salts` is `derivedSalts(ledgerKey)`, or `randomSalts()` where the key is away or destroyed. */
export function composeEntry(draft: EntryDraft, salts: Salts): ComposedEntry {
  void draft;
  void salts;
  throw new Error('not written yet');
}

/** Salts of a customer's ledger key (32 bytes): HKDF-SHA-256, info `<entry>|<field>`. */
export function derivedSalts(ledgerKey: Buffer): Salts {
  void ledgerKey;
  throw new Error('not written yet');
}

/** Fresh salts, known to nobody but the record that carries them. */
export function randomSalts(): Salts {
  throw new Error('not written yet');
}

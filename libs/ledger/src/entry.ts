import { canonicalJson } from './canonical.js';
import { commit, heldValue } from './commitment.js';
import type { EntryKind, Leaf, LeafAttribute, LeafPurpose } from './leaf.js';
import { leafHash } from './leaf-hash.js';
import { SUBJECT_FIELD, type Salts } from './salts.js';

/** A leaf is smaller than this many bytes. */
export const MAX_LEAF_BYTES = 65_536;

/** What an attribute of a record carries: a value, or word that it is kept and not used; not both. */
export interface DraftAttribute {
  readonly purposes: readonly LeafPurpose[];
  /** Neither `value` nor `held` where no value is meant to go (`withheld`). */
  readonly value?: string | undefined;
  readonly held?: 'disputed' | undefined;
}

/** What an entry is composed of; `subject` and values are committed to and do not get into the leaf. */
export interface EntryDraft {
  /** UUIDv7. */
  readonly id: string;
  readonly kind: EntryKind;
  /** Only, and always, with `aborted`: the entry whose record did not commit. */
  readonly of?: string | undefined;
  /** Only, and always, with `aborted`. */
  readonly reached?: 'no' | 'maybe' | undefined;
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
    /** `opening` of each attribute that carries something. Base64url. */
    readonly attributes: Readonly<Record<string, string>>;
  };
}

/** By UTF-16 code unit, as RFC 8785 sorts; a locale has no say in a hash. */
const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function checkAborted(draft: EntryDraft): void {
  const aborted = draft.kind === 'aborted';
  if (aborted !== (draft.of !== undefined) || aborted !== (draft.reached !== undefined)) {
    throw new TypeError('`of` and `reached` belong to an aborted entry, and to no other');
  }
}

function versionOf(version: number | bigint | null): string | null {
  if (typeof version === 'number' && !Number.isSafeInteger(version)) throw new RangeError('a version is an integer');
  return version === null ? null : version.toString();
}

/** What is committed to; undefined where the attribute carries nothing. */
function contentOf({ value, held }: DraftAttribute): unknown {
  if (value !== undefined && held !== undefined)
    throw new TypeError('an attribute carries a value or is held, not both');
  return held === undefined ? value : heldValue(held);
}

/**
 * Composes an entry in the final form of a leaf.
 * @param salts `derivedSalts(ledgerKey)`, or `randomSalts()` where the key is away or destroyed.
 * @throws TypeError, RangeError on a draft that is no entry, or whose leaf would be too large: bugs of the caller.
 */
export function composeEntry(draft: EntryDraft, salts: Salts): ComposedEntry {
  checkAborted(draft);
  const subjectSalt = salts(draft.id, SUBJECT_FIELD);
  const openings: Record<string, string> = {};
  const attributes: LeafAttribute[] = [];
  for (const name of Object.keys(draft.attributes).sort(byCodeUnit)) {
    const attribute = draft.attributes[name];
    if (attribute === undefined) continue;
    if (name === SUBJECT_FIELD) throw new TypeError(`no attribute may be called ${SUBJECT_FIELD}`);
    const purposes = [...attribute.purposes]
      .sort((a, b) => byCodeUnit(a.purpose, b.purpose) || byCodeUnit(a.ground, b.ground))
      .map(({ purpose, ground }) => ({ purpose, ground }));
    const content = contentOf(attribute);
    if (content === undefined) {
      attributes.push({ name, purposes });
      continue;
    }
    const salt = salts(draft.id, name);
    openings[name] = salt.toString('base64url');
    attributes.push({ name, purposes, commitment: commit(salt, content) });
  }
  const leaf: Leaf = {
    v: 1,
    id: draft.id,
    kind: draft.kind,
    ...(draft.of !== undefined && { of: draft.of }),
    ...(draft.reached !== undefined && { reached: draft.reached }),
    at: draft.at.toISOString(),
    recipient: draft.recipient,
    recordId: draft.recordId,
    version: versionOf(draft.version),
    agreement: draft.agreement,
    policyVersion: draft.policyVersion,
    subject: commit(subjectSalt, draft.subject),
    attributes,
  };
  const bytes = canonicalJson(leaf);
  if (bytes.length >= MAX_LEAF_BYTES) throw new RangeError(`a leaf is smaller than ${MAX_LEAF_BYTES} bytes`);
  return {
    leaf,
    bytes,
    leafHash: leafHash(bytes),
    openings: { subject: subjectSalt.toString('base64url'), attributes: openings },
  };
}

import { commit, heldValue } from './commitment.js';
import type { Leaf, LeafAttribute, LeafPurpose } from './leaf.js';
import { SALT_BYTES } from './salts.js';

export interface OpenableAttribute {
  readonly value?: string | undefined;
  readonly held?: 'disputed' | undefined;
  readonly purposes: readonly LeafPurpose[];
  readonly opening: string;
}

/** A record of a feed, as far as it opens an entry. */
export interface OpenableRecord {
  readonly subject: string;
  readonly version: number;
  readonly entry: string;
  readonly opening: string;
  readonly attributes: Readonly<Record<string, OpenableAttribute | undefined>>;
}

/** A record never opens an entry of another kind: a tombstone has no body, the rest no record. */
const KINDS_WITH_RECORD: readonly string[] = ['released', 'withdrawn'];

function saltOf(opening: string): Buffer | undefined {
  const salt = Buffer.from(opening, 'base64url');
  // Decoding skips what is not base64url, so only what encodes back to itself is one.
  return salt.length === SALT_BYTES && salt.toString('base64url') === opening ? salt : undefined;
}

function commitsTo(commitment: string | undefined, opening: string, content: unknown): boolean {
  const salt = saltOf(opening);
  return salt !== undefined && content !== undefined && commit(salt, content) === commitment;
}

const listOf = (purposes: readonly LeafPurpose[]): string =>
  JSON.stringify(purposes.map(({ purpose, ground }) => [purpose, ground]).sort());

function attributeProblem(committed: LeafAttribute, shown: OpenableAttribute | undefined): string | undefined {
  if (shown === undefined) return `${committed.name}: the entry names it, the record does not`;
  if (listOf(committed.purposes) !== listOf(shown.purposes)) return `${committed.name}: other purposes or grounds`;
  if (shown.value !== undefined && shown.held !== undefined) return `${committed.name}: both a value and held`;
  const content = shown.held === undefined ? shown.value : heldValue(shown.held);
  if (!commitsTo(committed.commitment, shown.opening, content)) return `${committed.name}: not what was committed to`;
  return undefined;
}

/**
 * Undefined where the record is the very one the leaf commits to; else the first thing that is not, naming fields and
 * never a value. Needs nothing but the two, so that a recipient or an auditor can check by themselves.
 */
export function openingProblem(leaf: Leaf, record: OpenableRecord): string | undefined {
  if (!KINDS_WITH_RECORD.includes(leaf.kind)) return `an entry of kind ${leaf.kind} has no record`;
  if (leaf.id !== record.entry) return 'the record names another entry';
  if (leaf.version !== String(record.version)) return 'the record has another version';
  if (!commitsTo(leaf.subject, record.opening, record.subject)) return 'subject: not what was committed to';
  const committed = new Set(leaf.attributes.map(({ name }) => name));
  if (committed.size !== leaf.attributes.length) return 'the entry names an attribute twice';
  for (const name of Object.keys(record.attributes)) {
    if (record.attributes[name] !== undefined && !committed.has(name)) return `${name}: the entry does not name it`;
  }
  for (const attribute of leaf.attributes) {
    const shown = Object.hasOwn(record.attributes, attribute.name) ? record.attributes[attribute.name] : undefined;
    const problem = attributeProblem(attribute, shown);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

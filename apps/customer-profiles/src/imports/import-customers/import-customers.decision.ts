import type { DoorName } from '@castiron/contracts';
import { refused, type Refusal, type Result } from '@castiron/failures';
import type { Profile } from '../../profiles/profile.js';
import {
  decideRegistration,
  type RegistrationFacts,
} from '../../registration/register-customer/register-customer.decision.js';

export const MAX_ROWS = 500;
const MAX_KEY_LENGTH = 200;

/** A row that may become a customer, if its key is new here. */
export interface ImportableRow {
  readonly at: number;
  /** The customer number in the old system, unique per door. */
  readonly key: string;
  readonly profile: Profile;
}

export interface RefusedRow {
  readonly at: number;
  /** Undefined where the row has none that could be shown. */
  readonly key: string | undefined;
  readonly refusal: Refusal;
}

export interface SortedRows {
  readonly importable: readonly ImportableRow[];
  readonly refused: readonly RefusedRow[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const KEY = new RegExp(String.raw`^(?!\s*$)[^\p{Cc}\p{Cs}\u2028\u2029]{1,${MAX_KEY_LENGTH}}$`, 'u');
const isKey = (value: unknown): value is string => typeof value === 'string' && KEY.test(value);

const refuse = (code: string, detail: string, field: string): Result<never> =>
  refused({ kind: 'invalid', code, detail, field });

function decideRow(
  facts: RegistrationFacts,
  door: DoorName,
  row: unknown,
  customer: string,
  now: Date,
): Result<Profile> {
  if (!isObject(row)) return refuse('row-not-an-object', 'The row must have a key and attributes.', 'row');
  if (!isKey(row.key)) {
    return refuse(
      'key-not-usable',
      `The key must be text of 1 to ${MAX_KEY_LENGTH} characters without control characters.`,
      'key',
    );
  }
  if (!isObject(row.attributes))
    return refuse('attributes-missing', 'The row must have attributes by name.', 'attributes');
  return decideRegistration(facts, { door, origin: 'imported', attributes: row.attributes }, customer, now);
}

/** Each row stands for itself: a bad one never costs the rest. The same rules as a registration through the door (P1, P12). */
export function decideImport(
  facts: RegistrationFacts,
  door: DoorName,
  rows: readonly unknown[],
  newId: () => string,
  now: Date,
): SortedRows {
  const importable: ImportableRow[] = [];
  const refusedRows: RefusedRow[] = [];
  rows.forEach((row, at) => {
    const key = isObject(row) && isKey(row.key) ? row.key : undefined;
    const decided = decideRow(facts, door, row, newId(), now);
    if (!decided.ok) refusedRows.push({ at, key, refusal: decided.refusal });
    else if (key !== undefined) importable.push({ at, key, profile: decided.value });
  });
  return { importable, refused: refusedRows };
}

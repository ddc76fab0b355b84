import { isPurpose, SLUG_PATTERN, type PurposeName } from '@castiron/contracts';
import type { Evidence } from '../grant-permission/grant-permission.decision.js';

export interface CheckedRow {
  readonly customer: string;
  readonly recipient: string;
  readonly purpose: PurposeName;
  readonly evidence: Evidence;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SLUG = new RegExp(SLUG_PATTERN);
const MAX_HOW = 200;
const MAX_STATEMENT = 1_000_000;

/** How text and instants are read everywhere that they come in. */
export interface ReadsFields {
  readonly isLine: (given: unknown, max: number) => given is string;
  readonly instantOf: (given: unknown) => Date | undefined;
}

/** A row as it may come in, one by one, so that a bad one does not cost the rest. Reasons show no value. Pure. */
export function checkRow(row: unknown, { isLine, instantOf }: ReadsFields): CheckedRow | { readonly reason: string } {
  if (typeof row !== 'object' || row === null) return { reason: 'row: not an object' };
  const { customer, recipient, purpose, how, givenAt, statementVersion } = row as Record<string, unknown>;
  if (typeof customer !== 'string' || !UUID.test(customer)) return { reason: 'customer: not a UUID' };
  if (typeof recipient !== 'string' || !SLUG.test(recipient)) return { reason: 'recipient: not a slug' };
  if (typeof purpose !== 'string' || !isPurpose(purpose)) return { reason: 'purpose: not in the catalogue' };
  if (!isLine(how, MAX_HOW)) return { reason: `how: 1 to ${MAX_HOW} characters on one line` };
  const given = instantOf(givenAt);
  if (given === undefined) return { reason: 'givenAt: not an instant like 2026-11-23T09:00:00Z' };
  const isVersion = typeof statementVersion === 'number' && Number.isInteger(statementVersion);
  if (!isVersion || statementVersion < 1 || statementVersion > MAX_STATEMENT) {
    return { reason: 'statementVersion: not a version of the statement' };
  }
  return { customer, recipient, purpose, evidence: { how, givenAt: given, statementVersion } };
}

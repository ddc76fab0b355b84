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
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/;

const HOW = /^[^\u0000-\u001f\u007f-\u009f]{1,200}$/;
const MAX_STATEMENT = 1_000_000;

/** A row as it may come in, one by one, so that a bad one does not cost the rest. Reasons show no value. Pure. */
export function checkRow(row: unknown): CheckedRow | { readonly reason: string } {
  if (typeof row !== 'object' || row === null) return { reason: 'row: not an object' };
  const { customer, recipient, purpose, how, givenAt, statementVersion } = row as Record<string, unknown>;
  if (typeof customer !== 'string' || !UUID.test(customer)) return { reason: 'customer: not a UUID' };
  if (typeof recipient !== 'string' || !SLUG.test(recipient)) return { reason: 'recipient: not a slug' };
  if (typeof purpose !== 'string' || !isPurpose(purpose)) return { reason: 'purpose: not in the catalogue' };
  if (typeof how !== 'string' || !HOW.test(how) || how.trim() === '')
    return { reason: 'how: 1 to 200 characters on one line' };
  const given = new Date(typeof givenAt === 'string' && INSTANT.test(givenAt) ? givenAt : Number.NaN);
  if (Number.isNaN(given.getTime())) return { reason: 'givenAt: not an instant with its zone' };
  const isVersion = typeof statementVersion === 'number' && Number.isInteger(statementVersion);
  if (!isVersion || statementVersion < 1 || statementVersion > MAX_STATEMENT) {
    return { reason: 'statementVersion: not a version of the statement' };
  }
  return { customer, recipient, purpose, evidence: { how, givenAt: given, statementVersion } };
}

import type { AttributeName } from '@castiron/contracts';
import type { Outcome } from '../release/outcome.js';

/** What a recipient must delete after a record. */
export interface Withdrawal {
  /** Nothing may be kept. */
  readonly complete: boolean;
  readonly attributes: readonly AttributeName[];
}

/** Days a recipient has to delete and confirm. */
export const DAYS_TO_DELETE = 30;

/** What this record takes away from what was on the feed before it; undefined where it takes nothing. Pure. */
export function withdrawalOf({ kind, holds, before }: Outcome): Withdrawal | undefined {
  if (kind === 'tombstone' || before.state !== 'released') return undefined;
  const kept = new Set(holds.map(({ name }) => name));
  const attributes = before.holds.map(({ name }) => name).filter((name) => !kept.has(name));
  const complete = kind === 'withdrawn';
  return attributes.length > 0 || complete ? { complete, attributes } : undefined;
}

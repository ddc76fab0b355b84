import type { AttributeName, PurposeName } from '@castiron/contracts';
import type { Outcome } from '../release/outcome.js';

/** What a recipient must delete, or stop using, after a record. */
export interface Withdrawal {
  /** Nothing may be kept. */
  readonly complete: boolean;
  readonly attributes: readonly AttributeName[];
  /** What stays for another purpose, by the purpose it may no longer be used for. */
  readonly purposes: readonly { readonly purpose: PurposeName; readonly attributes: readonly AttributeName[] }[];
}

/** What this record takes away from what was on the feed before it; undefined where it takes nothing. Pure. */
export function withdrawalOf({ kind, holds, before }: Outcome): Withdrawal | undefined {
  if (kind === 'tombstone' || before.state !== 'released') return undefined;
  const kept = new Map(holds.map(({ name, purposes }) => [name, new Set(purposes.map(({ purpose }) => purpose))]));
  const attributes = before.holds.map(({ name }) => name).filter((name) => !kept.has(name));
  const ended = new Map<PurposeName, AttributeName[]>();
  for (const { name, purposes } of before.holds) {
    for (const { purpose } of purposes) {
      if (kept.get(name)?.has(purpose) === false) ended.set(purpose, [...(ended.get(purpose) ?? []), name]);
    }
  }
  const complete = kind === 'withdrawn';
  if (attributes.length === 0 && ended.size === 0 && !complete) return undefined;
  return { complete, attributes, purposes: [...ended].map(([purpose, names]) => ({ purpose, attributes: names })) };
}

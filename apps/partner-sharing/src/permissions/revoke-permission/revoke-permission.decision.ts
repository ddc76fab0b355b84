import type { PurposeName } from '@castiron/contracts';
import type { Permission } from '../permission.table.js';

/** The permission as it stands after a revocation; the known one where it was revoked before. Pure. */
export function decideRevocation(
  known: Permission | undefined,
  of: { readonly customer: string; readonly recipient: string; readonly purpose: PurposeName },
  statementVersion: number,
  now: Date,
): Permission {
  if (known?.state === 'revoked') return known;
  if (known !== undefined) return { ...known, state: 'revoked', version: known.version + 1, changedAt: now };
  // Never permitted: recorded all the same, since it is an objection to cooperation.
  return { ...of, state: 'revoked', version: 1, how: null, givenAt: null, statementVersion, changedAt: now };
}

import type { PurposeName } from '@castiron/contracts';
import type { Permission } from '../permission.table.js';

/**
 * The permission as it stands after a revocation. One that was revoked before keeps its version and is revoked from now on:
 * what the customer gave in between, and is still on its way, does not outlive this one (P8). Pure.
 */
export function decideRevocation(
  known: Permission | undefined,
  of: { readonly customer: string; readonly recipient: string; readonly purpose: PurposeName },
  statementVersion: number,
  now: Date,
): Permission {
  if (known?.state === 'revoked') return { ...known, changedAt: known.changedAt > now ? known.changedAt : now };
  if (known !== undefined) return { ...known, state: 'revoked', version: known.version + 1, changedAt: now };
  // Never permitted: recorded all the same, since it is an objection to cooperation.
  return { ...of, state: 'revoked', version: 1, how: null, givenAt: null, statementVersion, changedAt: now };
}

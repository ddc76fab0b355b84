import type { DataOf, permissionChanged } from '@castiron/contracts';
import type { Permission } from '../permissions/permission.table.js';

export type LostPermission = DataOf<typeof permissionChanged>;

/**
 * What becomes of a permission of which a lost life of the database told something. `revoke`: it was taken back, or may have
 * been. `tell`: it stands as it is here, and is told anew, for its version was used for something else. `forget`: it was given
 * there alone. The version is that of what is told.
 */
export type PermissionRecovery =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'forget' }
  | { readonly kind: 'tell' | 'revoke'; readonly version: number; readonly at: Date };

/** Takes away what was taken away, and gives nothing that was given (P8): of that, the evidence is lost. Pure. */
export function recoverPermission(known: Permission | undefined, lost: readonly LostPermission[]): PermissionRecovery {
  const last = lost.at(-1);
  if (last === undefined) return { kind: 'nothing' };
  const at = new Date(last.at);
  const top = Math.max(...lost.map(({ version }) => version));
  const version = Math.max(top, known?.version ?? 0) + 1;
  if (known === undefined) return last.state === 'revoked' ? { kind: 'revoke', version, at } : { kind: 'forget' };
  const taken = takenBackAt(known, lost);
  // What was given since the restore is newer than what was taken back before.
  const stands = known.state === 'revoked' || taken === undefined || (known.givenAt !== null && known.givenAt > taken);
  if (!stands) return { kind: 'revoke', version, at };
  return known.version > top ? { kind: 'nothing' } : { kind: 'tell', version, at };
}

/** When it was taken back last; a version that is not to be seen any more may have been one that did. */
function takenBackAt(known: Permission, lost: readonly LostPermission[]): Date | undefined {
  const revoked = lost.filter(({ state }) => state === 'revoked');
  const versions = new Set(lost.map(({ version }) => version));
  const [first, last] = [Math.min(...versions), Math.max(...versions)];
  const isWhole = first <= known.version + 1 && versions.size === last - first + 1;
  const all = isWhole ? revoked : lost;
  return all.length === 0 ? undefined : new Date(Math.max(...all.map(({ at }) => Date.parse(at))));
}

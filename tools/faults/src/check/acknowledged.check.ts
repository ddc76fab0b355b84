import type { Done } from '../history.js';
import { byKey } from './by-key.js';
import type { Anomaly, Observed } from './observed.js';
import { isPermitting, keyOf } from './permissions.check.js';

/** An operation that was told at which version it left a profile or a permission. */
type Acknowledged = Done & { readonly customer: string; readonly told: { readonly version: number } };

const isAcknowledged = (done: Done): done is Acknowledged =>
  done.outcome === 'ok' && done.customer !== undefined && done.told.version !== undefined;

/**
 * Whether an operation cannot have been told the version that an earlier one of its key was told: it makes one of its own,
 * whatever came in between. Who takes away what is not there makes none; what an earlier one gave was there, though, or was
 * taken away by a further version.
 */
function isAbove({ operation }: Acknowledged, { operation: earlier }: Acknowledged): boolean {
  switch (operation.kind) {
    case 'withdraw':
      return earlier.kind === 'register' || (earlier.kind === 'change' && earlier.attribute === operation.attribute);
    case 'revoke':
      return earlier.kind === 'grant';
    default:
      return true;
  }
}

/** Of each profile and permission, versions that were acknowledged rise: one that comes again was lost in between. */
export function checkAcknowledged({ operations, run }: Observed): Anomaly[] {
  const keyed = byKey(operations.filter(isAcknowledged), (done) =>
    isPermitting(done) ? keyOf(done, run) : done.customer,
  );
  // One process alone acts on a key, so that its operations come in the order in which they were made.
  return [...keyed].flatMap(([key, own]) =>
    own.flatMap((done, place): Anomaly[] => {
      const { operation, told } = done;
      const lost = own.slice(0, place).findLast((earlier) => {
        const before = earlier.told.version;
        return isAbove(done, earlier) ? told.version <= before : told.version < before;
      });
      if (lost === undefined) return [];
      const what = `${lost.operation.kind} ${lost.operation.id} of ${key} was acknowledged as v${lost.told.version}, and ${operation.kind} ${operation.id} after it as v${told.version}`;
      return [{ kind: 'lost', what }];
    }),
  );
}

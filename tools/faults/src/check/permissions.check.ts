import type { Done } from '../history.js';
import type { Operation } from '../plan/operations.js';
import type { Anomaly, Observed } from './observed.js';

export type Permitting = Done & {
  readonly customer: string;
  readonly operation: Operation & { readonly kind: 'grant' | 'revoke' };
};

export const isPermitting = (done: Done): done is Permitting =>
  done.customer !== undefined && (done.operation.kind === 'grant' || done.operation.kind === 'revoke');

const STATES = { grant: 'granted', revoke: 'revoked' } as const;

/** As permissions are known everywhere. */
export const keyOf = ({ customer, operation }: Permitting, partner: string): string =>
  `${customer}/${partner}/${operation.purpose}`;

/** What is told of a permission, and where it stands at the end, is what somebody asked for. */
export function checkPermissions({ operations, partner, permissions, permitted }: Observed): Anomaly[] {
  const asked = operations.filter(isPermitting).filter(({ outcome }) => outcome !== 'fail');
  const made = new Map(
    asked.map((done) => [`${keyOf(done, partner)} v${done.told.version}`, STATES[done.operation.kind]]),
  );
  const states = [...permissions, ...[...permitted].map(([key, stands]) => ({ key, ...stands }))].filter(
    ({ key }) => key.split('/')[1] === partner,
  );
  return [
    ...states.flatMap(({ key, version, state }): Anomaly[] => {
      const name = `${key} v${version}`;
      const meant = made.get(name);
      if (meant !== undefined && meant !== state)
        return [{ kind: 'wrong', what: `${name} is ${state}, and ${meant} was acknowledged` }];
      // Nobody was told of this version: one whose answer was lost made it.
      const mayBe = asked.some(
        (done) => done.outcome === 'info' && keyOf(done, partner) === key && STATES[done.operation.kind] === state,
      );
      return meant === undefined && !mayBe
        ? [{ kind: 'invented', what: `${name} is ${state}, which nobody asked for` }]
        : [];
    }),
    ...asked.flatMap((done): Anomaly[] => {
      const { version = 0 } = done.told;
      const stands = permitted.get(keyOf(done, partner))?.version ?? 0;
      return stands < version
        ? [{ kind: 'lost', what: `${keyOf(done, partner)} stands at v${stands}, v${version} was acknowledged` }]
        : [];
    }),
  ];
}

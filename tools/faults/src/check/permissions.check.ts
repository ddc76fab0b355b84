import type { Done } from '../history.js';
import { slugOf, type Operation, type OperationKind } from '../plan/operations.js';
import type { Anomaly, Observed } from './observed.js';

/** What such an operation makes of a permission: whoever cancels mailings takes back the one that they rest on. */
const STATES = { grant: 'granted', revoke: 'revoked', cancel: 'revoked' } as const;

export type Permitting = Done & {
  readonly customer: string;
  readonly operation: Operation & { readonly kind: keyof typeof STATES };
};

export const isPermitting = (done: Done): done is Permitting =>
  done.customer !== undefined && (Object.keys(STATES) as OperationKind[]).includes(done.operation.kind);

export const mailingOf = (customer: string): string => `${customer}/notifications/mailing`;

/** As permissions are known everywhere. */
export function keyOf({ customer, operation }: Permitting, run: string): string {
  if (operation.kind === 'cancel') return mailingOf(customer);
  return `${customer}/${slugOf(run, operation.process, operation.recipient)}/${operation.purpose}`;
}

/** What is told of a permission, and where it stands at the end, is what somebody asked for. */
export function checkPermissions({ operations, run, permissions, permitted }: Observed): Anomaly[] {
  const asked = operations.filter(isPermitting).filter(({ outcome }) => outcome !== 'fail');
  const made = new Map(asked.map((done) => [`${keyOf(done, run)} v${done.told.version}`, STATES[done.operation.kind]]));
  const states = [...permissions, ...[...permitted].map(([key, stands]) => ({ key, ...stands }))];
  return [
    ...states.flatMap(({ key, version, state }): Anomaly[] => {
      const name = `${key} v${version}`;
      const meant = made.get(name);
      if (meant !== undefined && meant !== state)
        return [{ kind: 'wrong', what: `${name} is ${state}, and ${meant} was acknowledged` }];
      // Nobody was told of this version: one whose answer was lost made it, or a cancellation, which is told of none.
      const mayBe = asked.some(
        (done) => done.told.version === undefined && keyOf(done, run) === key && STATES[done.operation.kind] === state,
      );
      return meant === undefined && !mayBe
        ? [{ kind: 'invented', what: `${name} is ${state}, which nobody asked for` }]
        : [];
    }),
    ...asked.flatMap((done): Anomaly[] => {
      const { version = 0 } = done.told;
      const stands = permitted.get(keyOf(done, run))?.version ?? 0;
      return stands < version
        ? [{ kind: 'lost', what: `${keyOf(done, run)} stands at v${stands}, v${version} was acknowledged` }]
        : [];
    }),
  ];
}

import { REGISTERED } from '../plan/operations.js';
import type { Anomaly, Observed } from './observed.js';

/** What a user reads at the end: nothing acknowledged was overwritten by what came before it. */
export function checkProfiles({ operations, finals }: Observed): Anomaly[] {
  return [...finals].flatMap(([customer, { version, attributes }]): Anomaly[] => {
    const own = operations.filter(
      (done) => done.customer === customer && ['register', 'change', 'withdraw'].includes(done.operation.kind),
    );
    const acknowledged = own.filter(({ outcome }) => outcome === 'ok');
    const highest = Math.max(0, ...acknowledged.map(({ told }) => told.version ?? 0));
    if (version < highest)
      return [{ kind: 'lost', what: `the profile of ${customer} stands at v${version}, v${highest} was acknowledged` }];
    return REGISTERED.flatMap((name): Anomaly[] => {
      const value = attributes[name];
      const onIt = own.filter(
        ({ operation }) => operation.kind === 'register' || ('attribute' in operation && operation.attribute === name),
      );
      const last = onIt.findLast(({ outcome }) => outcome === 'ok');
      // Each names the version that it changes: one without an answer can have won over what came before it alone.
      const mayHaveWon = onIt
        .slice(last === undefined ? 0 : onIt.indexOf(last) + 1)
        .filter(({ outcome }) => outcome === 'info');
      if (value === undefined) {
        if (last === undefined || [last, ...mayHaveWon].some(({ operation }) => operation.kind === 'withdraw'))
          return [];
        return [
          { kind: 'lost', what: `${name} of ${customer} is gone, although ${last.operation.id} was acknowledged` },
        ];
      }
      const id = /-(\d+)(@|$)/.exec(value)?.[1];
      const writer = own.find(({ operation }) => String(operation.id) === id);
      if (writer === undefined)
        return [{ kind: 'invented', what: `${name} of ${customer} is ${value}, which nobody wrote` }];
      if (last === undefined || writer === last || mayHaveWon.includes(writer)) return [];
      return [
        {
          kind: 'lost',
          what: `${name} of ${customer} is what ${writer.operation.id} wrote, although ${last.operation.id} was acknowledged later`,
        },
      ];
    });
  });
}

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
    return Object.entries(attributes).flatMap(([name, value]): Anomaly[] => {
      const last = acknowledged
        .filter(
          ({ operation }) =>
            operation.kind === 'register' || ('attribute' in operation && operation.attribute === name),
        )
        .at(-1);
      const id = /-(\d+)(@|$)/.exec(value)?.[1];
      const writer = own.find(({ operation }) => String(operation.id) === id);
      if (writer === undefined)
        return [{ kind: 'invented', what: `${name} of ${customer} is ${value}, which nobody wrote` }];
      if (last === undefined || writer === last || writer.outcome === 'info') return [];
      return [
        {
          kind: 'lost',
          what: `${name} of ${customer} is what ${writer.operation.id} wrote, although ${last.operation.id} was acknowledged later`,
        },
      ];
    });
  });
}

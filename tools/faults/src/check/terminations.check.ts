import { slugOf } from '../plan/operations.js';
import type { Anomaly, Observed } from './observed.js';

/** An agreement that was ended stays so, and is told so. What is left on the feed then is looked at with all feeds. */
export function checkTerminations({ leaving, operations, run, unsent }: Observed): Anomaly[] {
  return leaving.flatMap((partner): Anomaly[] => {
    const { slug, state, told } = partner;
    const asked = operations.filter(
      ({ operation, outcome }) =>
        operation.kind === 'terminate' && slugOf(run, operation.process, 'leaving') === slug && outcome !== 'fail',
    );
    const acknowledged = asked.find(({ outcome }) => outcome === 'ok');
    const found: Anomaly[] = [];
    if (acknowledged !== undefined && state !== 'terminated')
      found.push({ kind: 'lost', what: `the termination by ${slug} was acknowledged, and its agreement is ${state}` });
    if (asked.length === 0 && state !== 'in-force')
      found.push({ kind: 'invented', what: `the agreement with ${slug} is ${state}, which nobody asked for` });
    if (told !== state)
      found.push({
        kind: unsent.has('partner-sharing') ? 'stuck' : 'lost',
        what: `the agreement with ${slug} is ${state}, and sharing.agreements.v1 says ${told ?? 'nothing'} of it`,
      });
    return found;
  });
}

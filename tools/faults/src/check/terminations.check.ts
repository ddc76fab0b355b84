import { slugOf } from '../plan/operations.js';
import type { Anomaly, Leaving, Observed } from './observed.js';

/** After a termination was answered, nothing more of anybody gets onto the partner's feed (G2). */
function checkFence({ slug, feed }: Leaving, ends: Readonly<Record<number, string>>): Anomaly[] {
  const late = feed.find(
    ({ partition, offset, values }) => offset >= Number(ends[partition] ?? Infinity) && Object.keys(values).length > 0,
  );
  const what = `the agreement with ${slug} was terminated, and ${late?.partition}/${late?.offset} of its feed says more afterwards`;
  return late === undefined ? [] : [{ kind: 'revoked-and-sent', what }];
}

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
    return [...found, ...checkFence(partner, acknowledged?.told.feedEnds ?? {})];
  });
}

import type { Done } from '../history.js';
import { slugOf } from '../plan/operations.js';
import { partnersOf } from './disclosures.js';
import { carries, customersBy } from './feed-records.js';
import type { Anomaly, FeedRecord, Observed } from './observed.js';
import { isPermitting, keyOf, type Permitting } from './permissions.check.js';

/**
 * Whether a grant after a revocation came to pass that was never answered. Every version is told, where all that was committed
 * was sent, and each grant makes one of its own: what one was told is not another's.
 */
function wasGrantedUnheard(revoked: Permitting, grants: readonly Permitting[], observed: Observed): boolean {
  const { run, permissions, permitted, unsent, unsettled } = observed;
  if (unsent.has('partner-sharing') || unsettled.length > 0) return true;
  const key = keyOf(revoked, run);
  const last = permitted.get(key);
  const versions = [...permissions.filter((one) => one.key === key), ...(last === undefined ? [] : [last])];
  const told = new Set(grants.flatMap(({ outcome, told: { version } }) => (outcome === 'ok' ? [version] : [])));
  return versions.some(
    ({ state, version }) => state === 'granted' && version > (revoked.told.version ?? 0) && !told.has(version),
  );
}

/** The grants that may have come to pass after a revocation; one that was given before it is refused. */
function following(revoked: Permitting, observed: Observed): Permitting[] {
  const key = keyOf(revoked, observed.run);
  const grants = observed.operations
    .filter(isPermitting)
    .filter((other) => other.operation.kind === 'grant' && keyOf(other, observed.run) === key);
  const wasGranted = wasGrantedUnheard(revoked, grants, observed);
  return grants.filter(({ invoked, outcome, told }) =>
    outcome === 'info'
      ? wasGranted && invoked >= revoked.invoked
      : outcome === 'ok' && (told.version ?? 0) > (revoked.told.version ?? 0),
  );
}

/** Which records an operation forbids once it was answered; undefined where it forbids none. */
function forbiddenBy(done: Done, observed: Observed): ((record: FeedRecord) => boolean) | undefined {
  if (done.operation.kind === 'terminate') return ({ purposes }) => Object.keys(purposes).length > 0;
  if (!isPermitting(done) || done.operation.kind !== 'revoke') return undefined;
  const { customer, operation } = done;
  const customerOf = customersBy(observed);
  const grants = following(done, observed);
  return (record) =>
    customerOf(record.subject) === customer &&
    carries(record, operation.purpose) &&
    !grants.some(({ invoked }) => invoked <= record.at);
}

/** G2: after what ends sharing was answered, no record that it forbids is added to the feed, until it is granted anew. */
export function checkFence(observed: Observed): Anomaly[] {
  const { operations, run } = observed;
  const feeds = new Map(partnersOf(observed).map(({ slug, feed }) => [slug, feed]));
  return operations.flatMap((done): Anomaly[] => {
    const { operation, outcome, told } = done;
    const { answered } = told;
    const isForbidden = forbiddenBy(done, observed);
    if (outcome !== 'ok' || answered === undefined || isForbidden === undefined) return [];
    const recipient = operation.kind === 'revoke' ? operation.recipient : 'leaving';
    const slug = slugOf(run, operation.process, recipient);
    return (feeds.get(slug) ?? []).filter(isForbidden).flatMap((record): Anomaly[] => {
      if (record.at <= answered) return [];
      const what = `${operation.kind} ${operation.id} was answered, and ${record.partition}/${record.offset} of the feed of ${slug}, which it forbids, came ${record.at - answered} ms afterwards`;
      return [{ kind: 'revoked-and-sent', what }];
    });
  });
}

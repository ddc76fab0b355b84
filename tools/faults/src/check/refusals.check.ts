import type { Done, Outcome } from '../history.js';
import type { OperationKind } from '../plan/operations.js';
import { byKey } from './by-key.js';
import type { Anomaly, Observed } from './observed.js';
import { isPermitting, keyOf } from './permissions.check.js';

/** Whether what the same process did before is a reason to refuse this. */
type Excuse = (refused: Done, before: readonly Done[], run: string) => boolean;

const always: Excuse = () => true;

/**
 * A profile is not at the version that was told or read last only where a change without an answer came to pass since. One
 * that was acknowledged had seen all that came to pass before, and what had not by then names an older version.
 */
const mayBeStale: Excuse = ({ customer }, before) => {
  const own = before.filter((done) => done.customer === customer);
  const last = own.findLastIndex(
    ({ operation, outcome }) => outcome === 'ok' && ['register', 'change'].includes(operation.kind),
  );
  return own
    .slice(last + 1)
    .some(({ operation, outcome }) => outcome === 'info' && ['change', 'withdraw'].includes(operation.kind));
};

/** By a revocation without an answer, which may come to pass at any time, or a cancellation, which others are told later. */
const mayBeTakenBack: Excuse = (refused, before, run) =>
  before.some(
    (done) =>
      isPermitting(done) &&
      isPermitting(refused) &&
      keyOf(done, run) === keyOf(refused, run) &&
      (done.operation.kind === 'cancel'
        ? done.outcome !== 'fail'
        : done.operation.kind === 'revoke' && done.outcome === 'info'),
  );

const mayHaveLeft: Excuse = ({ operation }, before) =>
  operation.kind === 'grant' &&
  operation.recipient === 'leaving' &&
  before.some((done) => done.operation.kind === 'terminate');

/** All that users may be refused for: what they ask for is sound, and of things that are there. */
const EXCUSES: Readonly<Record<OperationKind, Readonly<Record<string, Excuse>>>> = {
  // Asked again under its key, while the first is under way or after its answer was lost.
  register: { 'request-in-flight': always, 'answer-lost': always },
  change: { 'stale-version': mayBeStale },
  withdraw: { 'stale-version': mayBeStale },
  grant: { 'given-before-revocation': mayBeTakenBack, 'no-agreement-in-force': mayHaveLeft },
  revoke: {},
  cancel: {},
  // Asked again, after one without an answer.
  terminate: { 'agreement-terminated': always },
};

/** 4xx. Nobody there is no refusal; 5xx says that it may be asked again. */
const isRefused = ({ told: { status = 0 } }: Done): boolean => status >= 400 && status < 500;

/** Whatever breaks, a service says of what may pass that it may; of a bug it says 500, and nobody but a service answers here. */
const MAY_PASS = 503;

/** No answer tells of a bug. */
export const checkAnswers = ({ troubled }: Observed): Anomaly[] =>
  troubled
    .filter(({ status, isRead }) => status !== MAY_PASS || !isRead)
    .map(({ question, status, isRead }) => ({
      kind: 'wrong',
      what: `${question} was answered ${status}${isRead ? '' : ', with what is no JSON'}`,
    }));

/** Nobody is refused what nothing forbids: a second state shows that way, or one that is lost. */
export function checkRefusals({ operations, run }: Observed): Anomaly[] {
  return [...byKey(operations, ({ operation }) => String(operation.process)).values()].flatMap((own) =>
    own.flatMap((done, place): Anomaly[] => {
      const { operation, told } = done;
      const { reason = 'unknown', status } = told;
      if (!isRefused(done) || EXCUSES[operation.kind][reason]?.(done, own.slice(0, place), run) === true) return [];
      return [{ kind: 'wrong', what: `${operation.kind} ${operation.id} was refused as ${reason} (${status})` }];
    }),
  );
}

/** Of what did not come to pass, or had no answer: how often for which reason. */
export function reasonsOf(operations: readonly Done[], of: Exclude<Outcome, 'ok'>): Record<string, number> {
  const those = operations.filter(({ outcome }) => outcome === of);
  return Object.fromEntries(
    [...byKey(those, ({ told }) => told.reason ?? 'unknown')].map(([reason, all]) => [reason, all.length]),
  );
}

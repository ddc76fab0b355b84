import type { Done } from '../history.js';
import type { OperationKind } from '../plan/operations.js';
import type { Happened } from '../rig/nemesis.js';
import type { Anomaly } from './observed.js';

const KINDS: readonly OperationKind[] = ['register', 'change', 'withdraw', 'grant', 'revoke', 'cancel', 'terminate'];
/** Acknowledged operations of each kind. */
const OF_EACH = 3;
/** Of all operations, the part that must be acknowledged: where most fail, little is tried. */
const PART = 0.5;
/** And while things break: what is asked in quiet times shows nothing. */
const PART_MEANWHILE = 0.4;
/** Of the revocations that were acknowledged, the part after which the feed was looked at; and how soon that must have been, in ms. */
const PART_SEEN = 0.25;
const SOON_MS = 500;

/** Whether the feed was looked at soon after enough revocations: where the broker is away it cannot be. */
export function sawTheFeed(operations: readonly Done[]): boolean {
  const revoked = operations.filter(({ operation, outcome }) => operation.kind === 'revoke' && outcome === 'ok');
  const seen = revoked.filter(({ told }) => told.feedEnds !== undefined && (told.lookedMs ?? Infinity) <= SOON_MS);
  return seen.length >= Math.max(OF_EACH, revoked.length * PART_SEEN);
}

/** Operations that were acknowledged, and under way while a fault was that came to pass. */
export const acknowledgedMeanwhile = (operations: readonly Done[], faults: readonly Happened[]): number =>
  operations.filter(
    ({ outcome, invoked, completed }) =>
      outcome === 'ok' && faults.some(({ from, until }) => invoked <= until && completed >= from),
  ).length;

/** A run in which little happened shows little. */
export function tooLittle(operations: readonly Done[], faults: readonly Happened[], wanted: number): Anomaly[] {
  const little = (what: string): Anomaly => ({ kind: 'too-little', what });
  const acknowledged = operations.filter(({ outcome }) => outcome === 'ok');
  const meanwhile = acknowledgedMeanwhile(operations, faults);
  return [
    ...(acknowledged.length < wanted * PART
      ? [little(`${acknowledged.length} operations were acknowledged, of ${wanted} wanted`)]
      : []),
    ...(meanwhile < wanted * PART_MEANWHILE
      ? [little(`${meanwhile} operations were acknowledged while things broke, of ${wanted} wanted`)]
      : []),
    ...KINDS.filter((kind) => acknowledged.filter(({ operation }) => operation.kind === kind).length < OF_EACH).map(
      (kind) => little(`fewer than ${OF_EACH} operations ${kind} were acknowledged`),
    ),
    ...(sawTheFeed(operations) ? [] : [little('the feed was looked at after too few revocations')]),
  ];
}

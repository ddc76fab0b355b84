import type { Done } from '../history.js';
import { ACTIONS, type FaultKind } from '../plan/faults.js';
import type { OperationKind } from '../plan/operations.js';
import { POINTS } from '../proxy/points.js';
import type { Broken, Happened } from '../rig/nemesis.js';
import type { Anomaly } from './observed.js';

const KINDS: readonly OperationKind[] = ['register', 'change', 'withdraw', 'grant', 'revoke'];
const FAULTS: readonly FaultKind[] = [
  'at-point',
  'broker-away',
  'database-restart',
  'backends-terminated',
  'delivered-twice',
  'third-member',
  'cut-off',
  'asked-to-end',
];
/** Acknowledged operations of each kind. */
const OF_EACH = 3;
/** Of all operations, the part that must be acknowledged: where most fail, little is tried. */
const PART = 0.5;
/** And while things break: what is asked in quiet times shows nothing. */
const PART_MEANWHILE = 0.2;
/** Of the revocations that were acknowledged, the part after which the feed was looked at; and how soon that must have been, in ms. */
const PART_SEEN = 0.25;
const SOON_MS = 500;

/** Whether the feed was looked at soon after enough revocations: where the broker is away it cannot be. */
export function sawTheFeed(operations: readonly Done[]): boolean {
  const revoked = operations.filter(({ operation, outcome }) => operation.kind === 'revoke' && outcome === 'ok');
  const seen = revoked.filter(({ told }) => told.feedEnds !== undefined && (told.lookedMs ?? Infinity) <= SOON_MS);
  return seen.length >= Math.max(OF_EACH, revoked.length * PART_SEEN);
}

/** Operations that were acknowledged while things broke. */
export const acknowledgedMeanwhile = (operations: readonly Done[], { from, until }: Broken): number =>
  operations.filter(({ outcome, completed }) => outcome === 'ok' && completed >= from && completed <= until).length;

/** A run in which little happened shows little. */
export function tooLittle(
  operations: readonly Done[],
  faults: readonly Happened[],
  broken: Broken,
  wanted: number,
): Anomaly[] {
  const little = (what: string): Anomaly => ({ kind: 'too-little', what });
  const acknowledged = operations.filter(({ outcome }) => outcome === 'ok');
  const meanwhile = acknowledgedMeanwhile(operations, broken);
  const atPoints = faults.flatMap(({ fault }) => (fault.kind === 'at-point' ? [fault] : []));
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
    ...FAULTS.filter((kind) => !faults.some(({ fault }) => fault.kind === kind)).map((kind) =>
      little(`no fault ${kind}`),
    ),
    ...POINTS.filter((point) => !atPoints.some((fault) => fault.point === point)).map((point) =>
      little(`nothing happened at the point ${point}`),
    ),
    ...ACTIONS.filter((action) => !atPoints.some((fault) => fault.action === action)).map((action) =>
      little(`nobody met ${action}`),
    ),
  ];
}

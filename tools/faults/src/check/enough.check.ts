import type { Done } from '../history.js';
import { ACTIONS, type FaultKind } from '../plan/faults.js';
import type { OperationKind } from '../plan/operations.js';
import { POINTS } from '../proxy/points.js';
import type { Happened } from '../rig/nemesis.js';
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

/** Whether the feed was looked at after revocations often enough: where the broker is away it cannot be. */
export const sawTheFeed = (operations: readonly Done[]): boolean =>
  operations.filter(
    ({ operation, outcome, told }) =>
      operation.kind === 'revoke' && outcome === 'ok' && told.feedEnds !== undefined,
  ).length >= OF_EACH;

/** A run in which little happened shows little. */
export function tooLittle(operations: readonly Done[], faults: readonly Happened[], wanted: number): Anomaly[] {
  const little = (what: string): Anomaly => ({ kind: 'too-little', what });
  const acknowledged = operations.filter(({ outcome }) => outcome === 'ok');
  const atPoints = faults.flatMap(({ fault }) => (fault.kind === 'at-point' ? [fault] : []));
  return [
    ...(acknowledged.length < wanted * PART
      ? [little(`${acknowledged.length} operations were acknowledged, of ${wanted} wanted`)]
      : []),
    ...KINDS.filter((kind) => acknowledged.filter(({ operation }) => operation.kind === kind).length < OF_EACH).map(
      (kind) => little(`fewer than ${OF_EACH} operations ${kind} were acknowledged`),
    ),
    ...(sawTheFeed(operations) ? [] : [little(`the feed was looked at after fewer than ${OF_EACH} revocations`)]),
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

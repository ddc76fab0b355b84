import type { Done } from '../history.js';
import type { OperationKind } from '../plan/operations.js';
import type { Happened } from '../rig/nemesis.js';
import { sentOf } from './mails.check.js';
import type { Anomaly, Observed } from './observed.js';

const KINDS: readonly OperationKind[] = ['register', 'change', 'withdraw', 'grant', 'revoke', 'cancel', 'terminate'];
/** Acknowledged operations of each kind, and mails that were sent, at least; and the part of all operations in a longer run. */
const OF_EACH = 3;
const PART_OF_EACH = 0.01;
/** Of all operations, the part that must be acknowledged: where most fail, little is tried. */
const PART = 0.5;
/** And while things break: what is asked in quiet times shows nothing. */
const PART_MEANWHILE = 0.4;
/** Operations that were acknowledged, and under way while a fault was that came to pass. */
export const acknowledgedMeanwhile = (operations: readonly Done[], faults: readonly Happened[]): number =>
  operations.filter(
    ({ outcome, invoked, completed }) =>
      outcome === 'ok' && faults.some(({ from, until }) => invoked <= until && completed >= from),
  ).length;

/** A user ends one agreement, however long the run is. */
const leastOf = (kind: OperationKind | 'mail', wanted: number): number =>
  kind === 'terminate' ? OF_EACH : Math.max(OF_EACH, Math.ceil(wanted * PART_OF_EACH));

/** A run in which little happened shows little. */
export function tooLittle(
  observed: Pick<Observed, 'operations' | 'notices' | 'mails' | 'letters'>,
  faults: readonly Happened[],
  wanted: number,
): Anomaly[] {
  const { operations } = observed;
  const little = (what: string): Anomaly => ({ kind: 'too-little', what });
  const acknowledged = operations.filter(({ outcome }) => outcome === 'ok');
  const meanwhile = acknowledgedMeanwhile(operations, faults);
  const sent = sentOf(observed);
  return [
    ...(acknowledged.length < wanted * PART
      ? [little(`${acknowledged.length} operations were acknowledged, of ${wanted} wanted`)]
      : []),
    ...(meanwhile < wanted * PART_MEANWHILE
      ? [little(`${meanwhile} operations were acknowledged while things broke, of ${wanted} wanted`)]
      : []),
    ...KINDS.filter(
      (kind) => acknowledged.filter(({ operation }) => operation.kind === kind).length < leastOf(kind, wanted),
    ).map((kind) => little(`fewer than ${leastOf(kind, wanted)} operations ${kind} were acknowledged`)),
    ...(sent < leastOf('mail', wanted) ? [little(`${sent} mails were sent, and came to the mail server`)] : []),
  ];
}

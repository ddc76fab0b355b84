import { ACTIONS, awayIn, type FaultKind, type Severity } from '../plan/faults.js';
import { POINTS } from '../proxy/points.js';
import { LANE_TABLES, type Takeovers } from '../rig/lanes.js';
import type { Happened } from '../rig/nemesis.js';
import type { Anomaly } from './observed.js';

const KINDS: readonly FaultKind[] = [
  'at-point',
  'broker-away',
  'broker-restart',
  'database-restart',
  'backends-terminated',
  'delivered-twice',
  'third-member',
  'cut-off',
  'asked-to-end',
];

/** A replica that wants to start while its database is away tries a few times; it does so after few faults. */
const OWN_ENDS_PER_FAULT = 0.5;

const lasted = ({ from, until }: Happened): number => until - from;

export interface Breaking {
  readonly faults: readonly Happened[];
  /** What was tried and did not come to pass. */
  readonly missed: readonly string[];
  readonly takeovers: Takeovers;
  /** Processes that could not start without what was away. */
  readonly ownEnds: readonly string[];
  readonly seed: number;
  readonly severity: Severity;
}

/** A run in which little broke shows little; and one in which processes end all the time shows nothing else. */
export function tooFewFaults({ faults, missed, takeovers, ownEnds, seed, severity }: Breaking): Anomaly[] {
  const little = (what: string): Anomaly => ({ kind: 'too-little', what });
  const atPoints = faults.flatMap(({ fault }) => (fault.kind === 'at-point' ? [fault] : []));
  const isLong = (is: (happened: Happened) => boolean, ms: number) => faults.some((it) => is(it) && lasted(it) >= ms);
  const away = awayIn(seed, severity);
  const wasAway = isLong(({ fault }) => fault.kind === 'broker-away', away);
  const stoodStill = isLong(({ fault }) => fault.kind === 'at-point' && fault.action === 'pause', severity.pause);
  return [
    ...missed.map((fault) => little(`${fault} did not come to pass`)),
    ...KINDS.filter((kind) => !faults.some(({ fault }) => fault.kind === kind)).map((kind) =>
      little(`no fault ${kind}`),
    ),
    ...POINTS.filter((point) => !atPoints.some((fault) => fault.point === point)).map((point) =>
      little(`nothing happened at the point ${point}`),
    ),
    ...ACTIONS.filter((action) => !atPoints.some((fault) => fault.action === action)).map((action) =>
      little(`nobody met ${action}`),
    ),
    ...(wasAway ? [] : [little(`the broker was never away for ${away} ms`)]),
    ...(stoodStill ? [] : [little(`nobody stood still for ${severity.pause} ms`)]),
    ...LANE_TABLES.filter((table) => takeovers[table] === 0).map((table) =>
      little(`nobody took over from another in ${table}`),
    ),
    ...(ownEnds.length > faults.length * OWN_ENDS_PER_FAULT
      ? [{ kind: 'wrong', what: `${ownEnds.length} processes ended by themselves in ${faults.length} faults` } as const]
      : []),
  ];
}

import type { Fault } from '../plan/faults.js';
import type { Point } from '../proxy/points.js';

/** Where a lane's worker is killed: at each step of a release, also where its bytes arrive when a successor is at work. */
const POINTS: readonly Point[] = [
  'before-commit',
  'after-commit',
  'before-feed-send',
  'before-feed-acknowledgement',
  'before-feed-settle',
];

type AtPoint = Fault & { readonly kind: 'at-point' };

const at = (point: Point, action: AtPoint['action'], ms: number): Fault => ({
  kind: 'at-point',
  point,
  action,
  service: 'partner-sharing',
  letPass: 3,
  ms,
  afterwards: true,
  after: 300,
});

/** One of each. @param pauseMs longer than a lane's lease */
export const killsOf = (pauseMs: number): readonly Fault[] => [
  ...POINTS.map((point) => at(point, 'kill', 0)),
  at('before-feed-send', 'kill-and-arrive-late', 0),
  at('before-feed-send', 'pause', pauseMs),
];

import type { Anomaly } from './check/observed.js';
import type { Happened } from './rig/nemesis.js';
import type { Takeovers } from './rig/lanes.js';

export interface RunResult {
  readonly seed: number;
  /** When it began. */
  readonly at: string;
  /** Of the code that ran. */
  readonly commit: string;
  readonly long: boolean;
  readonly otherClient: boolean;
  /** How many operations were asked for. */
  readonly wanted: number;
  /** Acknowledged, and under way while a fault was that came to pass. */
  readonly meanwhile: number;
  /** How often a lane was taken over whose owner had not let go of it. */
  readonly takeovers: Takeovers;
  readonly anomalies: readonly Anomaly[];
  readonly operations: Readonly<Record<'ok' | 'fail' | 'info', number>>;
  /** Why operations did not come to pass, and how often. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Why nobody knows whether operations did, and how often. */
  readonly silences: Readonly<Record<string, number>>;
  readonly faults: readonly Happened[];
  readonly missed: readonly string[];
  /** Records of feeds that were tried. */
  readonly records: number;
  /** Those of them whose transactions did not commit; each was sent anew. */
  readonly aborted: number;
  /** Processes that ended because they could not start without what was away. */
  readonly ownEnds: readonly string[];
  readonly seconds: number;
}

export interface Begun extends Pick<RunResult, 'seed' | 'commit' | 'long' | 'otherClient'> {
  readonly operations: number;
}

/** What there is to say of a run until it has come to its end; where it never does, this is what is left of it. */
export function begunAt(at: Date, { seed, commit, long, otherClient, operations }: Begun, why?: Error): RunResult {
  const reason = why === undefined ? '' : `: ${why.message}`;
  return {
    seed,
    at: at.toISOString(),
    commit,
    long,
    otherClient,
    wanted: operations,
    meanwhile: 0,
    takeovers: { outbox_lanes: 0, feed_lanes: 0 },
    anomalies: [{ kind: 'unfinished', what: `seed ${seed} did not come to its end${reason}` }],
    operations: { ok: 0, fail: 0, info: 0 },
    reasons: {},
    silences: {},
    faults: [],
    missed: [],
    records: 0,
    aborted: 0,
    ownEnds: [],
    seconds: 0,
  };
}

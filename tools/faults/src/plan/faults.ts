import { FEED_POINTS, INBOX_POINTS, POINTS, type Point } from '../proxy/points.js';
import { Random } from './random.js';

export const SERVICES = ['customer-profiles', 'partner-sharing', 'notifications'] as const;
export type Service = (typeof SERVICES)[number];

/** Of each service. */
export const REPLICAS = 2;

/** What happens to the replica, or to its connection, that comes to a point. */
export const ACTIONS = [
  /** kill -9, then started again. */
  'kill',
  /** SIGSTOP, for longer than any lease; then SIGCONT: a process that does not know it was away. */
  'pause',
  /** The connection breaks. */
  'cut',
  /** The bytes are late. */
  'delay',
  /** Nothing passes any more and nobody is told, at neither end. */
  'half-open',
  /** kill -9, and the bytes that it had sent arrive all the same, when a successor has what was its own. */
  'kill-and-arrive-late',
] as const;
export type Action = (typeof ACTIONS)[number];

/** What a replica can be cut off from. From the database alone is the worst: its leases end, and it can still send. */
export const CUT_FROM = ['database', 'both', 'broker'] as const;
export type CutFrom = (typeof CUT_FROM)[number];

export type Fault = {
  /** Quiet before it, in ms. */
  readonly after: number;
} & (
  | {
      readonly kind: 'at-point';
      readonly point: Point;
      readonly service: Service;
      readonly action: Action;
      /** How many pass the point before one is caught. */
      readonly letPass: number;
      readonly ms: number;
      /**
       * What a paused process had sent arrives when it goes on, not while it stands still; what a killed one had sent, once
       * its successor has settled in, not in the moment of taking over.
       */
      readonly afterwards: boolean;
    }
  /** kill -9 of the broker; away for `ms`. */
  | { readonly kind: 'broker-away'; readonly ms: number }
  /** kill -9 of the broker, which is started again at once: sooner than anybody gives it up. */
  | { readonly kind: 'broker-restart' }
  /** Immediate shutdown of PostgreSQL (SIGQUIT), then started again. */
  | { readonly kind: 'database-restart' }
  /** pg_terminate_backend of everything that services hold. */
  | { readonly kind: 'backends-terminated' }
  /** Copies of events that stand on topics are produced again, some of each topic. */
  | { readonly kind: 'delivered-twice'; readonly copies: number }
  /** A third member joins a service's consumer group, holds what it is given, and leaves. */
  | { readonly kind: 'third-member'; readonly service: 'partner-sharing' | 'notifications'; readonly ms: number }
  /** SIGTERM, as a supervisor that rolls out a new version sends it: the replica is to end in order, and in time. */
  | { readonly kind: 'asked-to-end'; readonly service: Service; readonly replica: 0 | 1 }
  /** A replica is cut off: connections break, and new ones do too. */
  | {
      readonly kind: 'cut-off';
      readonly service: Service;
      readonly replica: 0 | 1;
      readonly from: CutFrom;
      readonly ms: number;
    }
);

export type FaultKind = Fault['kind'];

/** The longest that anything of the product waits for an answer, in ms: of its database, what no request waits for. */
export const LONGEST_WAIT_MS = 17_000;

/** How long things take, in ms. */
export interface Severity {
  /** How long a silent process keeps what it holds. */
  readonly lease: number;
  /** A process stands still. */
  readonly pause: number;
  /** The broker is away, once a round. */
  readonly away: number;
  /** The same, in one seed of twenty: so long that everything must have piled up. */
  readonly outage: number;
  /** A connection is half open. */
  readonly silence: number;
  /** Longest that bytes are late. */
  readonly delay: number;
  /** Longest quiet between faults. */
  readonly gap: number;
}

export const SHORT: Severity = {
  lease: 1_000,
  pause: 3_000,
  away: 3_000,
  outage: 3_000,
  // Past what a request waits for its database.
  silence: 4_000,
  delay: 1_500,
  gap: 400,
};
export const LONG: Severity = {
  lease: 10_000,
  pause: 45_000,
  away: 45_000,
  outage: 600_000,
  // Past all that anything waits for an answer.
  silence: 20_000,
  // Past the lease.
  delay: 12_000,
  gap: 4_000,
};

/** A long run has so many seeds. One outage is enough for it. */
export const SEEDS_OF_LONG_RUN = 20;

/** And each of them is asked for so many operations, at least. */
export const OPERATIONS_OF_LONG_RUN = 5_000;

/** How long the broker is away in this seed, once at least. */
export const awayIn = (seed: number, { away, outage }: Severity): number =>
  seed % SEEDS_OF_LONG_RUN === 1 ? outage : away;

/** What can happen at a point: an answer that is on its way already cannot arrive late at a process that is gone. */
const isRequest = (point: Point): boolean =>
  !['after-commit', 'before-acknowledgement', 'inside-inbox', 'before-feed-acknowledgement'].includes(point);

const isCommit = (point: Point): boolean => ['before-commit', 'after-commit'].includes(point);

function servicesAt(point: Point): readonly Service[] {
  if ((FEED_POINTS as readonly Point[]).includes(point)) return ['partner-sharing'];
  if ((INBOX_POINTS as readonly Point[]).includes(point)) return ['partner-sharing', 'notifications'];
  // What notifications commits is mostly handled messages, which write no events.
  return isCommit(point) ? ['customer-profiles', 'partner-sharing'] : SERVICES;
}

function atPoint(random: Random, point: Point, action: Action, severity: Severity): Fault {
  const ms = {
    pause: severity.pause,
    delay: random.between(200, severity.delay),
    'half-open': severity.silence,
    // Where it is not for a lane to say: a group gives away what a silent member had after one and a half leases.
    'kill-and-arrive-late': 2 * severity.lease,
    kill: 0,
    cut: 0,
  }[action];
  return {
    kind: 'at-point',
    point,
    service: random.one(servicesAt(point)),
    action,
    letPass: random.between(0, 3),
    ms,
    afterwards: random.between(0, 1) === 1,
    after: random.between(100, severity.gap),
  };
}

const actionsAt = (point: Point): readonly Action[] =>
  ACTIONS.filter((action) => action !== 'kill-and-arrive-late' || isRequest(point));

/**
 * An action for each point, and each action at one point at least: the next seed, or round, has the next one there, so
 * that all of them come in six.
 */
function actionsFor(turn: number): (readonly [Point, Action])[] {
  const alike = [POINTS.filter(isRequest), POINTS.filter((point) => !isRequest(point))];
  return alike.flatMap((points) =>
    points.map((point, nth) => {
      const actions = actionsAt(point);
      return [point, actions[(turn + nth) % actions.length] ?? 'kill'] as const;
    }),
  );
}

/** Which of all that can happen at points is not among these. */
export function pairsNotCovered(faults: readonly Fault[]): string[] {
  const there = new Set(faults.map((fault) => (fault.kind === 'at-point' ? `${fault.action} ${fault.point}` : '')));
  return POINTS.flatMap((point) => actionsAt(point).map((action) => `${action} ${point}`)).filter(
    (pair) => !there.has(pair),
  );
}

/** Longer than what the replica holds is its own. */
const cutOff = (service: Service, from: CutFrom, random: Random, severity: Severity): Fault => ({
  kind: 'cut-off',
  service,
  replica: random.between(0, 1) as 0 | 1,
  from,
  ms: 2 * severity.lease,
  after: random.between(100, severity.gap),
});

const inTurn = <T>(of: readonly T[], turn: number): T => of[turn % of.length] as T;

/** One of each. */
function deck(random: Random, turn: number, severity: Severity): Fault[] {
  const after = () => random.between(100, severity.gap);
  return random.shuffled<Fault>([
    ...actionsFor(turn).map(([point, action]) => atPoint(random, point, action, severity)),
    { kind: 'broker-away', ms: severity.away, after: after() },
    { kind: 'broker-restart', after: after() },
    { kind: 'database-restart', after: after() },
    { kind: 'backends-terminated', after: after() },
    { kind: 'delivered-twice', copies: random.between(5, 40), after: after() },
    {
      kind: 'third-member',
      service: random.one(['partner-sharing', 'notifications'] as const),
      ms: random.between(500, 2_000),
      after: after(),
    },
    ...SERVICES.map((service): Fault => ({
      kind: 'asked-to-end',
      service,
      replica: random.between(0, 1) as 0 | 1,
      after: after(),
    })),
    // Who has lanes of feeds loses them in each round while it can still send, and everybody everything in nine.
    cutOff('partner-sharing', 'database', random, severity),
    cutOff(inTurn(SERVICES, Math.floor(turn / CUT_FROM.length)), inTurn(CUT_FROM, turn), random, severity),
  ]);
}

/** The faults of one round, in turn. Pure: the same for the same seed. */
export function faultsOf(seed: number, round: number, severity: Severity): readonly Fault[] {
  const away = round === 0 ? awayIn(seed, severity) : severity.away;
  return deck(new Random('faults', seed, round), seed + round, { ...severity, away });
}

/** As it is told on the terminal and in the history. */
export function nameOf(fault: Fault): string {
  switch (fault.kind) {
    case 'at-point':
      return `${fault.action} ${fault.point} of ${fault.service}`;
    case 'broker-away':
      return `broker away for ${fault.ms / 1000} s`;
    case 'third-member':
      return `third member of ${fault.service}`;
    case 'asked-to-end':
      return `${fault.service}-${fault.replica + 1} asked to end`;
    case 'cut-off':
      return `${fault.service}-${fault.replica + 1} cut off from ${fault.from}`;
    default:
      return fault.kind.replaceAll('-', ' ');
  }
}

import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { check } from './check/check.js';
import type { Anomaly, Observed } from './check/observed.js';
import { acknowledgedMeanwhile, tooLittle } from './check/enough.check.js';
import { tooFewFaults } from './check/enough-faults.check.js';
import { triedOf } from './check/feeds.check.js';
import { ownEndsIn } from './check/own-ends.check.js';
import { reasonsOf } from './check/refusals.check.js';
import { History } from './history.js';
import { before, isSince } from './observe/before.js';
import { COPYABLE, observe } from './observe/observe.js';
import { throwLettersAway } from './observe/mails.js';
import { patiently } from './observe/patiently.js';
import { settle } from './observe/settle.js';
import { terminationOf } from './observe/terminations.js';
import { nameOf, type Fault, type Service, type Severity } from './plan/faults.js';
import { PROCESSES, slugOf } from './plan/operations.js';
import { Random } from './plan/random.js';
import { begunAt, type RunResult } from './result.js';
import type { Cluster } from './rig/cluster.js';
import { since } from './rig/lanes.js';
import { interruptionsOf } from './rig/interruptions.js';
import { Nemesis } from './rig/nemesis.js';
import { Calls } from './workload/calls.js';
import { registerPartner } from './workload/partner.js';
import { LateFences } from './workload/fence.js';
import { User } from './workload/user.js';
import type { World } from './workload/world.js';

export interface RunOptions {
  readonly seed: number;
  /** Of the code that is run. */
  readonly commit: string;
  /** What is broken in a round. */
  readonly faultsOf: (round: number) => readonly Fault[];
  /** So many rounds, all of them whole. */
  readonly rounds: number;
  /** More of them, for as long as users act. */
  readonly allAlong: boolean;
  /** Acknowledged or not, at least so many. */
  readonly operations: number;
  readonly long: boolean;
  readonly severity: Severity;
  /** Longest pause of a user between two acts, in ms. */
  readonly thinkMs: number;
  /** Where the history goes. */
  readonly folder: string;
  /** How long everything may take to come to rest after the last fault, in ms. */
  readonly settleWithin: number;
  readonly say: (line: string) => void;
  /** Ends the run early, in order. */
  readonly signal: AbortSignal;
  /** Looks for too little having happened. Off where one thing is looked at. */
  readonly demanding: boolean;
  /** The services talk to Kafka by the client that is not shipped. */
  readonly otherClient: boolean;
}

const withCollections = (_key: string, value: unknown): unknown =>
  value instanceof Map || value instanceof Set ? [...value] : value;

/** One seed. Whatever becomes of it, its folder says so: a run that breaks off is not to be taken for none. */
export async function runSeed(cluster: Cluster, options: RunOptions): Promise<RunResult> {
  const { folder } = options;
  const began = new Date();
  const keep = (result: RunResult) => writeFile(join(folder, 'result.json'), JSON.stringify(result, null, 2));
  // What is left of an earlier run is not to be taken for this one's.
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await keep(begunAt(began, options));
  const history = new History(join(folder, 'history.jsonl'));
  const { result, observed } = await checked(cluster, options, history, began)
    .catch(async (error: Error) => {
      await keep(begunAt(began, options, error));
      throw error;
    })
    .finally(() => history.close());
  await keep(result);
  // The cluster goes away, and with it what says how it came to that.
  if (result.anomalies.length > 0)
    await writeFile(join(folder, 'observed.json'), JSON.stringify(observed, withCollections));
  return result;
}

/** Users act while the nemesis breaks things; then everything is healed, comes to rest, and is checked. */
async function checked(
  cluster: Cluster,
  options: RunOptions,
  history: History,
  began: Date,
): Promise<{ result: RunResult; observed: Observed }> {
  const { seed, rounds, say, severity, signal } = options;
  // Not of the seed: a stack that is kept has the values of an earlier run of the same seed.
  const run = `s${seed}x${randomBytes(2).toString('hex')}`;
  const calls = new Calls(cluster.stack.identity);
  const leaving = Array.from({ length: PROCESSES }, (_, process) => slugOf(run, process, 'leaving'));
  const agreements = new Map(
    await Promise.all(
      [run, ...leaving].map(async (slug) => [slug, await registerPartner(cluster.client, slug)] as const),
    ),
  );
  await throwLettersAway(cluster.stack.mail.api);
  const left = await before(cluster);
  const takenBefore = await cluster.takeovers.ofAll();
  const reach = {
    calls,
    history,
    urlOf: (service: Service, replica: number) => cluster.replicasOf(service)[replica]?.url ?? '',
  };
  const fences = new LateFences(reach);
  const world: World = {
    ...reach,
    seed,
    fences,
    agreements,
    run,
    mail: cluster.stack.mail.api,
    terminationOf: (agreement) => patiently(() => terminationOf(cluster.databases, agreement)),
  };
  const nemesis = new Nemesis(cluster, (line) => history.write(line), {
    copyable: COPYABLE,
    since: isSince(left),
    severity,
    seed,
  });
  history.write({ type: 'begin', seed, rounds, operations: options.operations, run });

  let breaking = true;
  const isEnough = (): boolean => history.operations.length >= options.operations;
  const users = Array.from({ length: PROCESSES }, (_, process) => new User(world, process));
  const acting = users.map((user, process) => {
    const random = new Random('think', seed, process);
    return user.act(
      () => !signal.aborted && (breaking || !isEnough()),
      () => random.between(20, options.thinkMs),
    );
  });
  try {
    // Something to break first.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const isDemanded = (round: number) => round < rounds;
    const goesOn = (round: number) => !signal.aborted && (isDemanded(round) || (options.allAlong && !isEnough()));
    for (let round = 0; goesOn(round); round += 1) {
      breaking = isDemanded(round);
      await nemesis.run(options.faultsOf(round), () => goesOn(round));
      say(
        `seed ${seed}: round ${round + 1}, ${history.operations.length} operations, ${nemesis.happened.length} faults`,
      );
    }
  } finally {
    breaking = false;
    await Promise.all(acting);
  }
  history.write({ type: 'healed' });
  const bugs: Anomaly[] = [];
  const healed = await Promise.all(cluster.replicas.map(async (it) => ({ name: it.name, isReady: await it.ready() })));
  for (const { name, isReady } of healed)
    if (!isReady) bugs.push({ kind: 'stuck', what: `${name} does not come back although nothing is broken any more` });
  const unsettled = await settle(cluster.databases, left, options.settleWithin);
  for (const { operation } of await fences.end())
    bugs.push({ kind: 'stuck', what: `the fence of ${operation.kind} ${operation.id} does not stand` });
  const ended = cluster.replicas.flatMap(({ name, endedByItself }) =>
    endedByItself.splice(0).map((end) => ({ replica: name, ...end })),
  );
  for (const end of ended) history.write({ type: 'ended-by-itself', ...end });
  const { away: ownEnds, wrong } = ownEndsIn(ended, nemesis.met);
  bugs.push(...wrong);
  const observed = await observe(cluster, calls, {
    operations: history.operations,
    partner: run,
    leaving,
    run,
    before: left,
    unsettled,
    interruptions: interruptionsOf(nemesis.met, ownEnds, 'notifications', Date.now()),
  });
  const { happened } = nemesis;
  const missed = nemesis.missed.map(nameOf);
  const takeovers = since(takenBefore, await cluster.takeovers.ofAll());
  const anomalies = [
    ...check(observed),
    ...bugs,
    ...nemesis.misdeeds.map((what): Anomaly => ({ kind: 'wrong', what })),
    ...(options.demanding
      ? [
          ...tooLittle(observed, happened, options.operations),
          ...tooFewFaults({ faults: happened, missed, takeovers, ownEnds, seed, severity }),
        ]
      : []),
  ];
  for (const anomaly of anomalies) history.write({ type: 'anomaly', ...anomaly });
  const count = (wanted: string) => history.operations.filter(({ outcome }) => outcome === wanted).length;
  const result: RunResult = {
    ...begunAt(began, options),
    meanwhile: acknowledgedMeanwhile(history.operations, happened),
    anomalies,
    operations: { ok: count('ok'), fail: count('fail'), info: count('info') },
    reasons: reasonsOf(history.operations, 'fail'),
    silences: reasonsOf(history.operations, 'info'),
    faults: happened,
    missed,
    takeovers,
    records: triedOf(observed),
    aborted: observed.aborted.length,
    ownEnds,
    seconds: Math.round((Date.now() - began.getTime()) / 1000),
  };
  return { result, observed };
}

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DOT_CASTIRON } from '@castiron/local-stack';
import type { Anomaly } from './check/observed.js';
import { faultsOf, LONG, SHORT } from './plan/faults.js';
import { plantedIn, PLANTS, thrownIn, type Plant, type PlantName } from './plants/plants.js';
import { Cluster } from './rig/cluster.js';
import type { RunResult } from './result.js';
import { runSeed, type RunOptions } from './run.js';

/** Everything of the rig lies below it: a folder a seed, those of long runs apart, and the logs of the replicas. */
export const FOLDER = join(DOT_CASTIRON, 'faults');
const LONG_FOLDER = 'long';
const CONTROL_FOLDER = 'control';
const OTHER_CLIENT_FOLDER = 'other-client';

/** How runs were asked for. */
export interface How {
  /** Of the code that is run. */
  readonly commit: string;
  readonly rounds: number;
  readonly operations: number;
  /** Pauses and leases as they are in production. */
  readonly long: boolean;
  /** The services talk to Kafka by the client that is not shipped. */
  readonly otherClient: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

type Measure = Pick<RunOptions, 'severity' | 'settleWithin' | 'thinkMs' | 'allAlong'>;

/** Feed lanes have half the lease, a group's members one and a half: a pause outlasts them all. */
const SHORT_RUN: Measure = { severity: SHORT, settleWithin: 45_000, thinkMs: 160, allAlong: false };
const LONG_RUN: Measure = { severity: LONG, settleWithin: 180_000, thinkMs: 160, allAlong: true };

/** Letters of a line that says what an edit broke. */
const SHOWN = 200;

const measureOf = ({ long }: How): Measure => (long ? LONG_RUN : SHORT_RUN);

/** A cluster for as long as something is done on it, with a bug in it or without. */
async function onCluster<T>(
  how: How,
  plant: PlantName | undefined,
  kept: string,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  how.say(
    `Starting Kafka, PostgreSQL and two replicas of each service${plant === undefined ? '' : `, with ${plant}`} ...`,
  );
  const cluster = await Cluster.start({
    folder: join(kept, 'logs'),
    nodeArguments: [
      ...(plant === undefined ? [] : ['--import', preloadOf(plant)]),
      ...(how.otherClient ? ['--import', OTHER_CLIENT] : []),
    ],
    leaseMs: measureOf(how).severity.lease,
  });
  try {
    return await work(cluster);
  } finally {
    await cluster.stop();
  }
}

/** Starts the cluster once and runs one seed after the other on it. */
export async function runSeeds(
  how: How,
  seeds: readonly number[],
  told: (result: RunResult) => void,
): Promise<RunResult[]> {
  const measure = measureOf(how);
  const kept = join(FOLDER, folderOf(how));
  return onCluster(how, undefined, kept, async (cluster) => {
    const results: RunResult[] = [];
    for (const seed of seeds) {
      if (how.signal.aborted) break;
      const result = await runSeed(cluster, {
        ...how,
        ...measure,
        seed,
        faultsOf: (round) => faultsOf(seed, round, measure.severity),
        folder: join(kept, String(seed)),
        demanding: true,
      });
      results.push(result);
      told(result);
    }
    return results;
  });
}

/** The schedule of a planted bug, and of its control: nothing but what brings it to light, and as much time to come to rest. */
const scheduleOf = (how: How, seed: number, plant: PlantName) => ({
  ...how,
  ...measureOf(how),
  seed,
  faultsOf: () => PLANTS[plant].faults,
  rounds: 1,
  allAlong: false,
  demanding: false,
});

export async function runPlanted(how: How, seed: number, plant: PlantName): Promise<RunResult> {
  const kept = join(FOLDER, folderOf({ ...how, plant }));
  return onCluster(how, plant, kept, async (cluster) => {
    await mustBePlanted(PLANTS[plant], cluster);
    const result = await runSeed(cluster, {
      ...scheduleOf(how, seed, plant),
      folder: join(kept, String(seed)),
    });
    return { ...result, anomalies: [...(await brokenBy(cluster)), ...result.anomalies] };
  });
}

/** The same schedules without the bugs: where something is found there too, what is found with them says nothing. */
export async function runControls(
  how: How,
  seed: number,
  plants: readonly PlantName[],
  told: (plant: PlantName, result: RunResult) => void,
): Promise<ReadonlyMap<PlantName, RunResult>> {
  return onCluster(how, undefined, join(FOLDER, CONTROL_FOLDER), async (cluster) => {
    const results = new Map<PlantName, RunResult>();
    for (const plant of plants) {
      if (how.signal.aborted) break;
      const result = await runSeed(cluster, {
        ...scheduleOf(how, seed, plant),
        folder: join(FOLDER, folderOf({ ...how, plant, isControl: true }), String(seed)),
      });
      results.set(plant, result);
      told(plant, result);
    }
    return results;
  });
}

/** What tells where a run keeps its seeds. */
export interface Kept {
  readonly long: boolean;
  readonly otherClient?: boolean;
  readonly plant?: PlantName | undefined;
  /** Of the plant's schedule without the plant. */
  readonly isControl?: boolean;
}

/** Below {@link FOLDER}. What is not the product is apart from it. */
export const folderOf = ({ long, otherClient = false, plant, isControl = false }: Kept): string =>
  join(otherClient ? OTHER_CLIENT_FOLDER : '', isControl ? CONTROL_FOLDER : '', plant ?? (long ? LONG_FOLDER : ''));

/** What a result of before says of its code. */
const OF_BEFORE = { commit: 'unknown', otherClient: false };

/** The last result of every seed of the product that was ever run here, short or long, in their order. */
export async function resultsSoFar(long: boolean): Promise<RunResult[]> {
  const kept = join(FOLDER, folderOf({ long }));
  const folders = await readdir(kept).catch(() => []);
  const seeds = folders.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
  const read = async (seed: string): Promise<RunResult[]> => {
    const text = await readFile(join(kept, seed, 'result.json'), 'utf8').catch(() => undefined);
    return text === undefined ? [] : [{ ...OF_BEFORE, ...(JSON.parse(text) as RunResult) }];
  };
  return (await Promise.all(seeds.map(read))).flat();
}

/** Beside this file when compiled; the replicas are, whatever runs the rig. */
const preloadOf = (plant: PlantName): string =>
  new URL(`../dist/plants/preload.js?plant=${plant}`, import.meta.url).href;

const OTHER_CLIENT = new URL('../../../libs/kafka/dist/testing/platformatic/preload.js', import.meta.url).href;

/** A bug that was not planted is none that could be found. */
async function mustBePlanted({ edits }: Plant, cluster: Cluster): Promise<void> {
  for (const replica of cluster.replicas) {
    const log = await readFile(replica.log, 'utf8');
    const missing = edits.find(({ file }) => !log.includes(plantedIn(file)));
    // customer-profiles reads nothing, and may not load all that belongs to reading.
    if (missing !== undefined && replica.service !== 'customer-profiles') {
      throw new Error(`${replica.name} runs without the bug in ${missing.file}`);
    }
  }
}

/** What an edit broke that was to be a bug of another kind: a process that is tried again may live on with it. */
async function brokenBy(cluster: Cluster): Promise<Anomaly[]> {
  const logs = await Promise.all(
    cluster.replicas.map(async ({ name, log }) => ({ name, line: thrownIn(await readFile(log, 'utf8')) })),
  );
  return logs.flatMap(({ name, line }) =>
    line === undefined ? [] : [{ kind: 'crashed', what: `${name} says: ${line.slice(0, SHOWN)}` } as const],
  );
}

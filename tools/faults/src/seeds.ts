import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DOT_CASTIRON } from '@castiron/local-stack';
import { faultsOf, LONG, SHORT } from './plan/faults.js';
import { plantedIn, PLANTS, type Plant, type PlantName } from './plants/plants.js';
import { Cluster } from './rig/cluster.js';
import { runSeed, type RunOptions, type RunResult } from './run.js';

/** Everything of the rig lies below it: a folder a seed, those of long runs apart, and the logs of the replicas. */
export const FOLDER = join(DOT_CASTIRON, 'faults');
const LONG_FOLDER = 'long';

export interface SeedsOptions {
  readonly seeds: readonly number[];
  readonly rounds: number;
  readonly operations: number;
  /** Pauses and leases as they are in production. */
  readonly long: boolean;
  /** Kills the broker in the middle of commits too. */
  readonly midCommit: boolean;
  /** The services talk to Kafka by the client that is not shipped. */
  readonly otherClient: boolean;
  readonly plant?: PlantName | undefined;
  readonly say: (line: string) => void;
  readonly told: (result: RunResult) => void;
  readonly signal: AbortSignal;
}

type Measure = Pick<RunOptions, 'severity' | 'settleWithin' | 'thinkMs' | 'allAlong'>;

/** Feed lanes have half the lease, a group's members one and a half: a pause outlasts them all. */
const SHORT_RUN: Measure = { severity: SHORT, settleWithin: 45_000, thinkMs: 160, allAlong: false };
const LONG_RUN: Measure = { severity: LONG, settleWithin: 180_000, thinkMs: 160, allAlong: true };
/** A planted bug may keep things from coming to rest for good. */
const PLANTED_SETTLES_WITHIN_MS = 20_000;

/** Starts the cluster once and runs one seed after the other on it. */
export async function runSeeds(options: SeedsOptions): Promise<RunResult[]> {
  const { plant, say, signal } = options;
  const measure = options.long ? LONG_RUN : SHORT_RUN;
  const { severity } = measure;
  const planted: Plant | undefined = plant === undefined ? undefined : PLANTS[plant];
  const kept = join(FOLDER, folderOf(options));
  const logs = join(kept, 'logs');
  say(`Starting Kafka, PostgreSQL and two replicas of each service${plant === undefined ? '' : `, with ${plant}`} ...`);
  const cluster = await Cluster.start({
    folder: logs,
    nodeArguments: [
      ...(plant === undefined ? [] : ['--import', preloadOf(plant)]),
      ...(options.otherClient ? ['--import', OTHER_CLIENT] : []),
    ],
    leaseMs: severity.lease,
  });
  const results: RunResult[] = [];
  try {
    if (planted !== undefined) await mustBePlanted(planted, cluster);
    for (const seed of options.seeds) {
      if (signal.aborted) break;
      const result = await runSeed(cluster, {
        ...measure,
        seed,
        ...(planted === undefined
          ? { faultsOf: (round) => faultsOf(seed, round, severity), rounds: options.rounds }
          : {
              faultsOf: () => planted.faults,
              rounds: 1,
              allAlong: false,
              settleWithin: PLANTED_SETTLES_WITHIN_MS,
            }),
        operations: options.operations,
        long: options.long,
        folder: join(kept, String(seed)),
        say,
        signal,
        midCommit: options.midCommit,
        demanding: planted === undefined,
      });
      results.push(result);
      options.told(result);
    }
  } finally {
    await cluster.stop();
  }
  return results;
}

/** Below {@link FOLDER}: where a run keeps its seeds. */
export const folderOf = ({ long, plant }: { readonly long: boolean; readonly plant?: string | undefined }): string =>
  plant ?? (long ? LONG_FOLDER : '');

/** The last result of every seed that was ever run here, short or long, in their order. */
export async function resultsSoFar(long: boolean): Promise<RunResult[]> {
  const kept = join(FOLDER, folderOf({ long }));
  const folders = await readdir(kept).catch(() => []);
  const seeds = folders.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
  const read = async (seed: string): Promise<RunResult[]> => {
    const text = await readFile(join(kept, seed, 'result.json'), 'utf8').catch(() => undefined);
    return text === undefined ? [] : [JSON.parse(text) as RunResult];
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

import { join } from 'node:path';
import { byKey } from './check/by-key.js';
import type { Anomaly } from './check/observed.js';
import { OPERATIONS_OF_LONG_RUN, pairsNotCovered, SEEDS_OF_LONG_RUN } from './plan/faults.js';
import { PLANTS, type PlantName } from './plants/plants.js';
import { folderOf, type How, type Kept } from './seeds.js';
import type { RunResult } from './result.js';

const SHOWN = 12;

/** How often each kind of anomaly was found. */
function kindsOf(anomalies: readonly Anomaly[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of anomalies) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'nothing wrong';
}

/** In brackets, where there are any. */
function inBrackets(reasons: RunResult['reasons']): string {
  const counts = Object.entries(reasons).map(([reason, count]) => `${count} ${reason}`);
  return counts.length === 0 ? '' : ` (${counts.join(', ')})`;
}

type Asked = Omit<How, 'commit' | 'say' | 'signal'> & Kept;

function commandOf(seed: number, { rounds, operations, long, otherClient, plant }: Asked): string {
  const flags = [
    ...(long ? ['--long'] : []),
    ...(otherClient ? ['--other-client'] : []),
    ...(plant === undefined ? [] : [`--plant ${plant}`]),
  ];
  const what = `--seed ${seed} --rounds ${rounds} --operations ${operations} ${flags.join(' ')}`;
  return `npm run test:faults -- ${what}`.trimEnd();
}

export function summaryOf(result: RunResult, how: Asked): string {
  const { seed, anomalies, operations, faults, missed, ownEnds, seconds } = result;
  return [
    `seed ${seed}: ${kindsOf(anomalies)}; ${operations.ok} operations acknowledged, ${operations.fail} refused${inBrackets(result.reasons)}, ${operations.info} without an answer${inBrackets(result.silences)}, ${result.meanwhile} of the acknowledged while things broke; ${result.aborted} of ${result.records} records of feeds aborted; ${faults.length} faults in ${seconds} s`,
    ...(missed.length > 0 ? [`  did not come to pass: ${missed.join('; ')}`] : []),
    ...ownEnds.map((end) => `  could not start: ${end}`),
    ...anomalies.slice(0, SHOWN).map(({ kind, what }) => `  ${kind}: ${what}`),
    ...(anomalies.length > SHOWN ? [`  and ${anomalies.length - SHOWN} more`] : []),
    ...(anomalies.length > 0
      ? [
          `  again: ${commandOf(seed, how)}`,
          `  history: .castiron/${join('faults', folderOf(how), String(seed))}/history.jsonl`,
        ]
      : []),
  ].join('\n');
}

export function tableOf(results: readonly RunResult[]): string {
  const wrong = results.filter(({ anomalies }) => anomalies.length > 0);
  return `${results.length - wrong.length} of ${results.length} seeds without anomaly${wrong.length > 0 ? `; with: ${wrong.map(({ seed }) => seed).join(', ')}` : ''}`;
}

/** What each seed came to, run at whatever time. */
export function tableOfAll(results: readonly RunResult[]): string {
  const rows = results.map(
    ({ seed, at, commit, wanted, operations, meanwhile, faults, missed, ownEnds, anomalies, seconds }) =>
      [
        seed,
        at.slice(0, 16),
        commit,
        wanted,
        operations.ok,
        meanwhile,
        operations.fail,
        operations.info,
        faults.length,
        missed.length,
        ownEnds.length,
        kindsOf(anomalies),
        seconds,
      ].join(' | '),
  );
  return [
    '| seed | began (UTC) | commit | wanted | acknowledged | of these while things broke | refused | without an answer | faults | did not come to pass | ended by themselves | anomalies | s |',
    '|---|---|---|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
    `What never happened at its point: ${pairsNotCovered(results.flatMap(({ faults }) => faults.map(({ fault }) => fault))).join(', ') || 'nothing'}.`,
  ].join('\n');
}

/** Seeds by name, such as `1, 9 to 12`. */
function seedsIn(seeds: readonly number[]): string {
  const runs: { from: number; to: number }[] = [];
  for (const seed of seeds) {
    const last = runs.at(-1);
    if (last?.to === seed - 1) last.to = seed;
    else runs.push({ from: seed, to: seed });
  }
  return runs.map(({ from, to }) => (from === to ? String(from) : `${from} to ${to}`)).join(', ');
}

/** What stands where a commit should: two of them need not be the same code. */
const NO_COMMIT = /\+changes$|^unknown$/;

const seedsOf = (results: readonly RunResult[]): string => seedsIn(results.map(({ seed }) => seed));

/** Why the results are no whole run of one code, in words; empty where they are. */
export function gapsIn(results: readonly RunResult[], long: boolean): string[] {
  const there = new Set(results.map(({ seed }) => seed));
  const missing = Array.from({ length: SEEDS_OF_LONG_RUN }, (_, nth) => nth + 1).filter((seed) => !there.has(seed));
  const byCommit = byKey(results, ({ commit }) => commit);
  const commits = [...byCommit].map(([commit, own]) => `${commit} (${seedsOf(own)})`);
  const changed = results.filter(({ commit }) => NO_COMMIT.test(commit));
  const short = results.filter(({ wanted }) => wanted < OPERATIONS_OF_LONG_RUN);
  return [
    ...(long && missing.length > 0 ? [`No whole long run: of its seeds ${seedsIn(missing)} are missing.`] : []),
    ...(commits.length > 1 ? [`Not one run, for these are of several commits: ${commits.join('; ')}.`] : []),
    ...(changed.length > 0 ? [`Of no commit, for the tree had changes or was none of git: ${seedsOf(changed)}.`] : []),
    ...(long && short.length > 0
      ? [`No whole long run: fewer than ${OPERATIONS_OF_LONG_RUN} operations were asked of ${seedsOf(short)}.`]
      : []),
  ];
}

export interface PlantedResult {
  readonly plant: PlantName;
  readonly result: RunResult;
  /** The same without the bug. */
  readonly control: RunResult;
}

/**
 * Nothing where processes crashed: an edit that throws is another bug than the one that was meant. Nor where a fault missed that
 * was to bring it to light.
 */
const foundIn = ({ plant, result: { anomalies, missed } }: PlantedResult): Anomaly | undefined =>
  missed.length > 0 || anomalies.some(({ kind }) => kind === 'crashed')
    ? undefined
    : anomalies.find(({ kind }) => (PLANTS[plant].finds as readonly string[]).includes(kind));

/** Nothing is wrong where nothing broke either. */
const isClean = ({ anomalies, missed }: RunResult): boolean => anomalies.length === 0 && missed.length === 0;

/** Whether the checker said what such a bug does, and nothing of the same faults where there is none. */
export const isTold = (planted: PlantedResult): boolean => foundIn(planted) !== undefined && isClean(planted.control);

const saidOf = ({ anomalies, missed }: RunResult): string =>
  [kindsOf(anomalies), ...missed.map((fault) => `did not come to pass: ${fault}`)].join('; ');

/** What the checker said of each planted bug, and of the same without it. */
export function plantsTable(results: readonly PlantedResult[]): string {
  const rows = results.map((planted) => {
    const { plant, result, control } = planted;
    const first = foundIn(planted);
    const found = first === undefined ? 'NOT FOUND' : 'found';
    const what = first === undefined ? '' : `; ${first.kind}: ${first.what}`;
    return `| ${plant} | ${PLANTS[plant].what} | ${found} | ${saidOf(result)}${what} | ${saidOf(control)} |`;
  });
  return [
    '| planted | what it does | | what the checker said | and of the same without it |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n');
}

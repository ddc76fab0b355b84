import type { Anomaly } from './check/observed.js';
import { pairsNotCovered } from './plan/faults.js';
import { PLANTS, type PlantName } from './plants/plants.js';
import { folderOf } from './seeds.js';
import type { RunResult } from './run.js';

const SHOWN = 12;

/** How often each kind of anomaly was found. */
export function kindsOf(anomalies: readonly Anomaly[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of anomalies) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'nothing wrong';
}

/** How the run was asked for. */
interface How {
  readonly rounds: number;
  readonly operations: number;
  readonly long: boolean;
  readonly midCommit: boolean;
  readonly otherClient: boolean;
  readonly plant?: PlantName | undefined;
}

function commandOf(seed: number, { rounds, operations, long, midCommit, otherClient, plant }: How): string {
  const flags = [
    ...(long ? ['--long'] : []),
    ...(midCommit ? ['--mid-commit'] : []),
    ...(otherClient ? ['--other-client'] : []),
    ...(plant === undefined ? [] : [`--plant ${plant}`]),
  ];
  const what = `--seed ${seed} --rounds ${rounds} --operations ${operations} ${flags.join(' ')}`;
  return `npm run test:faults -- ${what}`.trimEnd();
}

export function summaryOf(result: RunResult, how: How): string {
  const { seed, anomalies, operations, faults, missed, ownEnds, seconds } = result;
  return [
    `seed ${seed}: ${kindsOf(anomalies)}; ${operations.ok} operations acknowledged, ${operations.fail} refused, ${operations.info} without an answer, ${result.meanwhile} of the acknowledged while things broke; ${faults.length} faults in ${seconds} s`,
    ...(missed.length > 0 ? [`  did not come to pass: ${missed.join('; ')}`] : []),
    ...ownEnds.map((end) => `  by design: ${end}`),
    ...anomalies.slice(0, SHOWN).map(({ kind, what }) => `  ${kind}: ${what}`),
    ...(anomalies.length > SHOWN ? [`  and ${anomalies.length - SHOWN} more`] : []),
    ...(anomalies.length > 0
      ? [
          `  again: ${commandOf(seed, how)}`,
          `  history: .castiron/${['faults', folderOf(how), seed].filter((part) => part !== '').join('/')}/history.jsonl`,
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
  const rows = results.map(({ seed, at, operations, meanwhile, faults, missed, anomalies, seconds }) =>
    [
      seed,
      at.slice(0, 16),
      operations.ok,
      meanwhile,
      operations.fail,
      operations.info,
      faults.length,
      missed.length,
      kindsOf(anomalies),
      seconds,
    ].join(' | '),
  );
  return [
    '| seed | began (UTC) | acknowledged | of these while things broke | refused | without an answer | faults | did not come to pass | anomalies | s |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows.map((row) => `| ${row} |`),
    '',
    `What never happened at its point: ${pairsNotCovered(results.flatMap(({ faults }) => faults.map(({ fault }) => fault))).join(', ') || 'nothing'}.`,
  ].join('\n');
}

export interface PlantedResult {
  readonly plant: PlantName;
  readonly result: RunResult;
  /** Whether the checker said what such a bug does. */
  readonly found: boolean;
}

/** What the checker said of each planted bug. */
export function plantsTable(results: readonly PlantedResult[]): string {
  const rows = results.map(({ plant, result, found }) => {
    const [first] = result.anomalies.filter(({ kind }) => (PLANTS[plant].finds as readonly string[]).includes(kind));
    const said = `${kindsOf(result.anomalies)}${first === undefined ? '' : `; ${first.kind}: ${first.what}`}`;
    return `| ${plant} | ${PLANTS[plant].what} | ${found ? 'found' : 'NOT FOUND'} | ${said} |`;
  });
  return ['| planted | what it does | | what the checker said |', '|---|---|---|---|', ...rows].join('\n');
}

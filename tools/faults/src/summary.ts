import type { Anomaly } from './check/observed.js';
import type { RunResult } from './run.js';

const SHOWN = 12;

/** How often each kind of anomaly was found. */
export function kindsOf(anomalies: readonly Anomaly[]): string {
  const counts = new Map<string, number>();
  for (const { kind } of anomalies) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'nothing wrong';
}

export function summaryOf(result: RunResult, how: { rounds: number; operations: number; long: boolean }): string {
  const { seed, anomalies, operations, faults, missed, seconds } = result;
  const again = `npm run test:faults -- --seed ${seed} --rounds ${how.rounds} --operations ${how.operations}${how.long ? ' --long' : ''}`;
  return [
    `seed ${seed}: ${kindsOf(anomalies)}; ${operations.ok} operations acknowledged, ${operations.fail} refused, ${operations.info} without an answer; ${faults.length} faults in ${seconds} s`,
    ...(missed.length > 0 ? [`  did not come to pass: ${missed.join('; ')}`] : []),
    ...anomalies.slice(0, SHOWN).map(({ kind, what }) => `  ${kind}: ${what}`),
    ...(anomalies.length > SHOWN ? [`  and ${anomalies.length - SHOWN} more`] : []),
    ...(anomalies.length > 0 ? [`  again: ${again}`, `  history: .castiron/faults/${seed}/history.jsonl`] : []),
  ].join('\n');
}

export function tableOf(results: readonly RunResult[]): string {
  const wrong = results.filter(({ anomalies }) => anomalies.length > 0);
  return `${results.length - wrong.length} of ${results.length} seeds without anomaly${wrong.length > 0 ? `; with: ${wrong.map(({ seed }) => seed).join(', ')}` : ''}`;
}

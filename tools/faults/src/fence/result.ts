/** What came of a run of the fence suite. */
export interface FenceResult {
  /** While permissions were taken back. */
  readonly seconds: number;
  /** That were answered 200, or seen to be done. */
  readonly revocations: number;
  /** On the feed, with data. */
  readonly records: number;
  /** Of these, with data for the purpose that stays. */
  readonly others: number;
  /** Sends that arrived after their lane had given them up. */
  readonly late: number;
  readonly kills: number;
  /** From each question to its answer. */
  readonly answerMs: readonly number[];
  /** From each question to the last record that carries the purpose. */
  readonly lastByteMs: readonly number[];
  readonly leaks: readonly string[];
  /** What else is not as it must be. */
  readonly wrong: readonly string[];
  /** What there was too little of to show anything. */
  readonly little: readonly string[];
}

/** @param part from 0 to 1 */
export function quantile(of: readonly number[], part: number): number {
  const sorted = of.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

const SHOWN = 5;

const some = (what: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [`${lines.length} ${what}:`, ...lines.slice(0, SHOWN).map((line) => `  ${line}`)];

/** As it is told on the terminal. */
export function fenceSummary(result: FenceResult): string {
  const { seconds, revocations, records, others, late, kills, answerMs, lastByteMs, leaks, wrong, little } = result;
  const times = (of: readonly number[]) => `${quantile(of, 0.5)} / ${quantile(of, 0.99)} ms`;
  return [
    `${revocations} revocations in ${Math.round(seconds)} s (${Math.round(revocations / seconds)} a second), ${records} records with data, ${others} of them for the purpose that stays`,
    `${late} sends arrived after their lane had given them up, ${kills} times a worker was killed or stood still`,
    `from a revocation to its answer ${times(answerMs)} (p50 / p99), to the last byte ${times(lastByteMs)}`,
    `${leaks.length} leaks`,
    ...some('leaks', leaks),
    ...some('things are wrong', wrong),
    ...some('things came to pass too seldom', little),
  ].join('\n');
}

/** What is wanted of a figure. `atLeast` where more is better, `atMost` where less is. */
export interface Wanted {
  readonly direction: 'atLeast' | 'atMost';
  readonly must?: number;
  readonly aim?: number;
}

export interface Figure {
  readonly name: string;
  /** The median of the rounds; no number where it cannot be measured on this machine, and no must is reached by that. */
  readonly value: number;
  readonly unit: string;
  readonly rounds: readonly number[];
  /** The lowest and the highest round. */
  readonly spread: readonly [number, number];
  readonly direction: Wanted['direction'] | null;
  readonly must: number | null;
  readonly aim: number | null;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  if (low === undefined || high === undefined) throw new RangeError('no round, no median');
  return (low + high) / 2;
}

/** The value below which this share of all lies, `share` from 0 to 1. */
export function percentile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (value === undefined) throw new RangeError('nothing was measured');
  return value;
}

export function figure(name: string, unit: string, rounds: readonly number[], wanted?: Wanted): Figure {
  return {
    name,
    value: median(rounds),
    unit,
    rounds,
    spread: [Math.min(...rounds), Math.max(...rounds)],
    direction: wanted?.direction ?? null,
    must: wanted?.must ?? null,
    aim: wanted?.aim ?? null,
  };
}

/** A ratio round by round; both halves of one that must be reached are measured one right after the other. */
export function ratio(name: string, over: readonly number[], under: readonly number[], wanted?: Wanted): Figure {
  const rounds = over.map((value, round) => value / (under[round] ?? Number.NaN));
  return figure(name, 'ratio', rounds, wanted);
}

const meets = (value: number, wanted: number, direction: Figure['direction']): boolean =>
  direction === 'atMost' ? value <= wanted : value >= wanted;

/** Whether what must be reached is; a figure that nothing is demanded of always is. */
export const reachesMust = ({ value, must, direction }: Figure): boolean =>
  must === null || meets(value, must, direction);

export const reachesAim = ({ value, aim, direction }: Figure): boolean => aim !== null && meets(value, aim, direction);

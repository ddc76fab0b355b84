import { median } from '../spine/figure.js';

/** One line of a plot: what was seen, in the order of time. */
export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly points: readonly Point[];
}

export interface Point {
  /** Seconds since the beginning. */
  readonly at: number;
  readonly value: number;
}

/**
 * Change of one second: the median of the slopes between all pairs (Theil and Sen), which a few outliers do not move.
 * Of a saw-tooth it is what remains when the teeth are thought away, given enough of them.
 */
export function slope(points: readonly Point[]): number {
  const slopes = points.flatMap((a, i) =>
    points.slice(i + 1).flatMap((b) => (b.at > a.at ? [(b.value - a.value) / (b.at - a.at)] : [])),
  );
  return median(slopes);
}

/** Of a series, the first part is warm-up. */
const WARM_UP = 0.2;

const afterWarmUp = (points: readonly Point[]): readonly Point[] => points.slice(Math.ceil(points.length * WARM_UP));

export interface Verdict {
  readonly name: string;
  readonly unit: string;
  readonly median: number;
  /** By how much it rose from the end of the warm-up to the end, by its slope. */
  readonly rise: number;
  /** By how much the median of its last tenth is above that of its first: what begins late has not moved its slope yet. */
  readonly lateRise: number;
  /** By how much it may. */
  readonly bound: number;
  readonly flat: boolean;
}

const medianOf = (points: readonly Point[]): number => median(points.map(({ value }) => value));

/** @param share of its median that it may rise by; @param least by which it may rise in any case */
export function verdictOf({ name, unit, points }: Series, share: number, least: number): Verdict {
  const warm = afterWarmUp(points);
  const [first, last] = [warm[0], warm.at(-1)];
  if (first === undefined || last === undefined || warm.length < 5) throw new RangeError(`${name}: too few samples`);
  const middle = medianOf(warm);
  const tenth = Math.max(1, Math.ceil(warm.length / 10));
  const rise = slope(warm) * (last.at - first.at);
  const lateRise = medianOf(warm.slice(-tenth)) - medianOf(warm.slice(0, tenth));
  const bound = Math.max(share * middle, least);
  return { name, unit, median: middle, rise, lateRise, bound, flat: Math.max(rise, lateRise) <= bound };
}

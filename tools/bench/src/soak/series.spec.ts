import { describe, expect, it } from 'vitest';
import { slope, verdictOf } from './series.js';

const points = (count: number, value: (n: number) => number) =>
  Array.from({ length: count }, (_, n) => ({ at: n * 10, value: value(n) }));
const series = (value: (n: number) => number) => ({ name: 'x', unit: 'MiB', points: points(100, value) });

describe('a series of the soak', () => {
  it('has the slope of its line, whatever a few outliers do', () => {
    expect(slope(points(100, (n) => 5 + 2 * n))).toBeCloseTo(0.2);
    expect(slope(points(100, (n) => (n % 10 === 0 ? 1e6 : 5 + 2 * n)))).toBeCloseTo(0.2, 1);
  });

  it('is flat where it swings, and where it rises in the warm-up alone', () => {
    expect(
      verdictOf(
        series((n) => 100 + (n % 10)),
        0.1,
        0,
      ),
    ).toMatchObject({ flat: true });
    expect(
      verdictOf(
        series((n) => Math.min(n, 19) * 10),
        0.1,
        0,
      ),
    ).toMatchObject({ flat: true, rise: 0 });
  });

  it('is not flat where it leaks, be it slowly or in steps', () => {
    expect(
      verdictOf(
        series((n) => 100 + n * 0.2),
        0.1,
        0,
      ),
    ).toMatchObject({ flat: false });
    expect(
      verdictOf(
        series((n) => 100 + 10 * Math.floor(n / 10) + (n % 10)),
        0.1,
        0,
      ),
    ).toMatchObject({ flat: false });
    expect(
      verdictOf(
        series((n) => 100 + n * 0.2),
        0.1,
        20,
      ),
    ).toMatchObject({ flat: true });
  });

  it('is nothing to judge by with too few samples', () => {
    expect(() => verdictOf({ name: 'x', unit: 'MiB', points: points(5, () => 1) }, 0.1, 0)).toThrow('too few');
  });
});

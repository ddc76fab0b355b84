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

  it('is not flat where it begins to leak late, when most of it is over', () => {
    // Half an hour, a sample every ten seconds; from minute 23 on 60 MiB a minute.
    const late = points(180, (n) => 200 + Math.max(0, n - 138) * 10);
    const verdict = verdictOf({ name: 'x', unit: 'MiB', points: late }, 0.1, 20);
    expect(verdict).toMatchObject({ rise: 0, flat: false });
    expect(verdict.lateRise).toBeGreaterThan(300);
  });

  it('is nothing to judge by with too few samples', () => {
    expect(() => verdictOf({ name: 'x', unit: 'MiB', points: points(5, () => 1) }, 0.1, 0)).toThrow('too few');
  });
});

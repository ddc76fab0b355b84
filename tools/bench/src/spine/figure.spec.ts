import { describe, expect, it } from 'vitest';
import { figure, median, percentile, ratio, reachesAim, reachesMust } from './figure.js';

describe('a figure', () => {
  it('is the median of its rounds, with the lowest and the highest', () => {
    expect(figure('x', 'ms', [5, 1, 9])).toMatchObject({
      value: 5,
      rounds: [5, 1, 9],
      spread: [1, 9],
      must: null,
      aim: null,
    });
    expect(median([1, 2, 3, 10])).toBe(2.5);
  });

  it('is a ratio of halves of the same round, not of medians', () => {
    expect(ratio('x', [1, 10, 4], [2, 10, 1])).toMatchObject({ value: 1, spread: [0.5, 4] });
  });

  it('misses a must from the side that is worse', () => {
    expect(reachesMust(figure('x', 'ratio', [0.49], { direction: 'atLeast', must: 0.5 }))).toBe(false);
    expect(reachesMust(figure('x', 'ratio', [0.5], { direction: 'atLeast', must: 0.5 }))).toBe(true);
    expect(reachesMust(figure('x', 'ratio', [3.1], { direction: 'atMost', must: 3 }))).toBe(false);
    expect(reachesMust(figure('x', 'ratio', [Number.NaN], { direction: 'atMost', must: 3 }))).toBe(false);
    expect(reachesMust(figure('x', 'ms', [1e9]))).toBe(true);
    expect(reachesAim(figure('x', 'ratio', [2.9], { direction: 'atMost', must: 3, aim: 1.2 }))).toBe(false);
  });

  it('takes percentiles of all values in one', () => {
    const values = Array.from({ length: 1000 }, (_, n) => 1000 - n);
    expect(percentile(values, 0.5)).toBe(501);
    expect(percentile(values, 0.99)).toBe(991);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
  });
});

import { describe, expect, it } from 'vitest';
import { runSeeds } from '../../tools/faults/src/seeds.js';
import { summaryOf } from '../../tools/faults/src/summary.js';

const HOW = { rounds: 1, operations: 250, long: false, midCommit: false, strict: false } as const;

describe('G5: nothing lost, nothing doubled', () => {
  it('whatever breaks: two seeds of every fault, pauses longer than leases', async () => {
    const summaries: string[] = [];
    const results = await runSeeds({
      ...HOW,
      seeds: [1, 2],
      say: () => undefined,
      told: (result) => summaries.push(summaryOf(result, HOW)),
      signal: new AbortController().signal,
    });
    expect(results).toHaveLength(2);
    expect(
      results.flatMap(({ anomalies }) => anomalies),
      summaries.join('\n'),
    ).toEqual([]);
  });
});

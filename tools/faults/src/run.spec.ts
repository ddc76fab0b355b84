import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SHORT } from './plan/faults.js';
import type { RunResult } from './result.js';
import { runSeed } from './run.js';
import type { Cluster } from './rig/cluster.js';

it('a run that breaks off leaves a result, which says so, and why', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'run-')), '7');
  const kept = (): RunResult => JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8')) as RunResult;
  let begun: RunResult | undefined;
  const cluster = {
    get stack() {
      begun = kept();
      throw new Error('nothing is there');
    },
  };
  const options = {
    seed: 7,
    commit: 'abc1234',
    faultsOf: () => [],
    rounds: 1,
    allAlong: false,
    operations: 300,
    long: true,
    severity: SHORT,
    thinkMs: 1,
    folder,
    settleWithin: 1,
    say: () => undefined,
    signal: new AbortController().signal,
    demanding: true,
    otherClient: false,
  };
  // Sound: nothing else of the cluster is asked for before it breaks.
  await expect(runSeed(cluster as unknown as Cluster, options)).rejects.toThrow('nothing is there');
  const of = { seed: 7, commit: 'abc1234', wanted: 300, long: true };
  expect(begun).toMatchObject({ ...of, anomalies: [{ what: 'seed 7 did not come to its end' }] });
  expect(kept()).toMatchObject({ ...of, anomalies: [{ what: 'seed 7 did not come to its end: nothing is there' }] });
});

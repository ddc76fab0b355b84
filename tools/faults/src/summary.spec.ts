import { describe, expect, it } from 'vitest';
import type { Anomaly } from './check/observed.js';
import type { RunResult } from './result.js';
import { folderOf } from './seeds.js';
import { gapsIn, isTold, plantsTable, summaryOf, tableOfAll } from './summary.js';

const run = (...kinds: Anomaly['kind'][]): RunResult => ({
  seed: 1,
  at: '2026-11-28T09:00:00.000Z',
  commit: 'abc1234',
  long: false,
  otherClient: false,
  wanted: 150,
  meanwhile: 20,
  takeovers: { outbox_lanes: 0, feed_lanes: 0 },
  anomalies: kinds.map((kind) => ({ kind, what: `something ${kind}` })),
  operations: { ok: 150, fail: 0, info: 0 },
  reasons: {},
  silences: {},
  faults: [],
  missed: [],
  records: 0,
  aborted: 0,
  ownEnds: [],
  seconds: 30,
});
const planted = (result: RunResult, control: RunResult) => ({ plant: 'lost-wake-up' as const, result, control });

it('a table of seeds tells of faults that missed and of processes that ended by themselves', () => {
  const missed = ['delivered twice', 'third member of notifications'];
  const [head, , row] = tableOfAll([{ ...run(), missed, ownEnds: ['notifications-1 ended by itself'] }]).split('\n');
  const named = (name: string) => row?.split(' | ')[head?.split(' | ').indexOf(name) ?? -1];
  expect(named('did not come to pass')).toBe('2');
  expect(named('ended by themselves')).toBe('1');
  expect(named('anomalies')).toBe('nothing wrong');
});

it('a table of seeds tells of which code each was, and how much was asked for', () => {
  const rows = tableOfAll([run(), { ...run(), seed: 2, commit: 'def5678+changes', wanted: 5000 }]).split('\n');
  expect(rows[2]).toContain('| abc1234 | 150 |');
  expect(rows[3]).toContain('| def5678+changes | 5000 |');
});

describe('results so far', () => {
  const seeds = (...commits: (readonly [from: number, to: number, commit: string])[]) =>
    commits.flatMap(([from, to, commit]) =>
      Array.from({ length: to - from + 1 }, (_, nth) => ({ ...run(), seed: from + nth, commit, wanted: 5_000 })),
    );

  it('are one run where all are of one commit, a long one where none of its twenty seeds is missing', () => {
    expect(gapsIn(seeds([1, 20, 'abc1234']), true)).toEqual([]);
    expect(gapsIn(seeds([1, 2, 'abc1234']), false)).toEqual([]);
  });

  it('are not where seeds are missing', () => {
    expect(gapsIn(seeds([2, 8, 'abc1234'], [11, 19, 'abc1234']), true)).toEqual([
      'No whole long run: of its seeds 1, 9 to 10, 20 are missing.',
    ]);
  });

  it('are not where the tree had changes, or was none of git', () => {
    const none = (seed: number) => [`Of no commit, for the tree had changes or was none of git: ${seed}.`];
    expect(gapsIn(seeds([1, 1, 'abc1234+changes']), false)).toEqual(none(1));
    expect(gapsIn(seeds([2, 2, 'unknown']), false)).toEqual(none(2));
  });

  it('are not where less was asked of a seed of the long run', () => {
    const results = seeds([1, 20, 'abc1234']).map((one) => (one.seed === 7 ? { ...one, wanted: 300 } : one));
    expect(gapsIn(results, true)).toEqual(['No whole long run: fewer than 5000 operations were asked of 7.']);
    expect(gapsIn(results, false)).toEqual([]);
  });

  it('are not where they are of several commits, short or long', () => {
    const both = ['Not one run, for these are of several commits: abc1234 (1 to 3, 6 to 20); def5678 (4 to 5).'];
    const results = seeds([1, 3, 'abc1234'], [4, 5, 'def5678'], [6, 20, 'abc1234']);
    expect(gapsIn(results, true)).toEqual(both);
    expect(gapsIn(results, false)).toEqual(both);
  });
});

it('what is not the product is kept apart from its long run', () => {
  const kept = [{}, { otherClient: true }];
  expect(new Set(kept.map((one) => folderOf({ long: true, ...one }))).size).toBe(2);
  expect(folderOf({ long: true })).toBe('long');
});

it('a seed tells why operations were refused, or had no answer', () => {
  const how = { rounds: 1, operations: 150, long: false, otherClient: false };
  const refused = { operations: { ok: 150, fail: 3, info: 0 }, reasons: { 'nobody there': 2, 'stale-version': 1 } };
  expect(summaryOf({ ...run(), ...refused }, how)).toContain('3 refused (2 nobody there, 1 stale-version),');
  expect(summaryOf(run(), how)).toContain('0 refused, 0 without an answer, ');
  const unanswered = { operations: { ok: 150, fail: 0, info: 2 }, silences: { TimeoutError: 2 } };
  expect(summaryOf({ ...run(), ...unanswered }, how)).toContain('2 without an answer (2 TimeoutError), ');
});

describe('a planted bug', () => {
  it('is told where the checker says what it does, and nothing of the same without it', () => {
    expect(isTold(planted(run('wrong', 'stuck'), run()))).toBe(true);
    expect(isTold(planted(run('wrong'), run()))).toBe(false);
    expect(isTold(planted(run('stuck'), run('stuck')))).toBe(false);
    expect(isTold(planted(run('stuck'), run('reordered')))).toBe(false);
  });

  it('is not told where processes crashed, which an edit does that throws', () => {
    expect(isTold(planted(run('crashed', 'stuck'), run()))).toBe(false);
    expect(plantsTable([planted(run('crashed', 'stuck'), run())])).toContain('NOT FOUND | 1 crashed, 1 stuck |');
  });

  it('is not told where what was to break did not break, with it or without it', () => {
    const control = { ...run(), missed: ['backends terminated'] };
    expect(isTold(planted(run('stuck'), control))).toBe(false);
    expect(isTold(planted({ ...run('stuck'), missed: ['backends terminated'] }, run()))).toBe(false);
    expect(plantsTable([planted(run('stuck'), control)])).toContain('| nothing wrong; did not come to pass: backends');
  });

  it('has a line with what was said of both', () => {
    const line = plantsTable([planted(run('wrong', 'stuck'), run('lost'))])
      .split('\n')
      .at(-1);
    expect(line).toMatch(/^\| lost-wake-up \| .* \| found \| 1 wrong, 1 stuck; stuck: something stuck \| 1 lost \|$/);
    expect(plantsTable([planted(run(), run())])).toContain('NOT FOUND');
  });
});

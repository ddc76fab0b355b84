import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { History } from '../history.js';
import type { Operation } from '../plan/operations.js';
import type { Calls, Reply } from './calls.js';
import { LateFences } from './fence.js';

const REVOKE: Operation = {
  id: 4,
  process: 0,
  replica: 0,
  slot: 0,
  kind: 'revoke',
  recipient: 'staying',
  purpose: 'invoicing',
};
const as = ['customer', 'customer-1'] as const;

beforeEach(() => vi.useFakeTimers({ toFake: ['Date', 'setTimeout'] }));
afterEach(() => vi.useRealTimers());

function late(standsAt: number) {
  const history = new History(join(mkdtempSync(join(tmpdir(), 'fence-')), 'history.jsonl'));
  const done = history.invoke(REVOKE, 'customer-1')('ok', { version: 2, command: 'command-1' });
  const call = async (): Promise<Reply> => ({
    kind: 'answer',
    status: 200,
    body: { state: Date.now() < standsAt ? 'waiting' : 'done' },
  });
  // Sound: nothing else of the calls is used here.
  const fences = new LateFences({ calls: { call } as unknown as Calls, urlOf: () => '', history });
  fences.follow(done, as);
  return { fences, history };
}

it('a fence that did not stand in time has the moment in which it was seen to stand', async () => {
  const standsAt = Date.now() + 60_000;
  const { fences, history } = late(standsAt);
  await vi.advanceTimersByTimeAsync(70_000);
  const [revoked] = history.operations;
  expect(revoked?.told).toMatchObject({ version: 2, command: 'command-1' });
  expect(revoked?.told.answered).toBeGreaterThanOrEqual(standsAt);
  expect(revoked?.told.answered).toBeLessThanOrEqual(standsAt + 500);
  expect(await fences.end()).toEqual([]);
});

it('one that does not stand although nothing is broken any more is told, and has no moment', async () => {
  const { fences, history } = late(Infinity);
  const ending = fences.end();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(await ending).toEqual(history.operations);
  expect(history.operations[0]?.told).not.toHaveProperty('answered');
});

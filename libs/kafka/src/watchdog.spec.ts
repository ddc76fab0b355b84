import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GroupPlace } from './group-places.js';
import { Watchdog } from './watchdog.js';

const STALL_MS = 60_000;
const LOOK_MS = STALL_MS / 4;

describe('a consumer that fetches nothing', () => {
  let watchdog: Watchdog;
  let crashes: string[];
  /** Those that nobody has answered yet; undefined while the broker answers. */
  let unanswered: ((places: GroupPlace[]) => void)[] | undefined;

  const freeze = (): void => void (unanswered = []);
  const thaw = (): void => {
    unanswered?.forEach((answer) => answer([]));
    unanswered = undefined;
  };
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

  beforeEach(async () => {
    vi.useFakeTimers();
    [crashes, unanswered] = [[], undefined];
    watchdog = new Watchdog({
      stallMs: STALL_MS,
      places: () => new Promise((answer) => unanswered?.push(answer) ?? answer([])),
      excused: () => Promise.resolve(false),
      commit: () => undefined,
      crash: ({ message }) => crashes.push(message),
    });
    watchdog.start();
    // Some seconds before it looks.
    await pass(LOOK_MS + 10_000);
    watchdog.fetched();
  });
  afterEach(() => {
    watchdog.stop();
    vi.useRealTimers();
  });

  it('is stuck where the broker answers', async () => {
    await pass(STALL_MS - 1);
    expect(crashes).toEqual([]);
    await pass(LOOK_MS);
    expect(crashes[0]).toBe('no fetch for 60 s although the broker answers');
  });

  it('is not where the broker was silent, and answers at last what it was asked then', async () => {
    freeze();
    await pass(STALL_MS + 1);
    thaw();
    await pass(1);
    watchdog.fetched();
    await pass(LOOK_MS);
    expect(crashes).toEqual([]);
  });

  it('is not where the whole process was paused', async () => {
    const now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + STALL_MS + Date.now() - started);
    const started = Date.now();
    await pass(LOOK_MS);
    expect(crashes).toEqual([]);
    await pass(STALL_MS + LOOK_MS);
    expect(crashes[0]).toBe('no fetch for 60 s although the broker answers');
    clock.mockRestore();
  });

  it('has as long as ever to come back after the broker', async () => {
    freeze();
    await pass(STALL_MS - LOOK_MS);
    thaw();
    await pass(STALL_MS);
    expect(crashes).toEqual([]);
    await pass(2 * LOOK_MS);
    expect(crashes[0]).toBe('no fetch for 60 s although the broker answers');
  });
});

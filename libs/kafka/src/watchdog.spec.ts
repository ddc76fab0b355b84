import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { GroupPlace } from './group-places.js';
import { Watchdog } from './watchdog.js';

const STALL_MS = 60_000;
const LOOK_MS = STALL_MS / 4;

let watchdog: Watchdog;
let crashes: string[];
let commits: { partition: number; next: bigint; isSign: boolean }[];
let isExcused: boolean;
/** Those that nobody has answered yet; undefined while the broker answers. */
let unanswered: ((places: GroupPlace[]) => void)[] | undefined;

/** Where the group stands. */
let places: GroupPlace[];

const freeze = (): void => void (unanswered = []);
const thaw = (): void => {
  unanswered?.forEach((answer) => answer(places));
  unanswered = undefined;
};
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(async () => {
  vi.useFakeTimers();
  // Another's partition may stand for a bit longer than twice as long as an own one.
  vi.spyOn(Math, 'random').mockReturnValue(0.1);
  [crashes, commits, places, isExcused, unanswered] = [[], [], [], false, undefined];
  watchdog = new Watchdog({
    stallMs: STALL_MS,
    places: () => new Promise((answer) => unanswered?.push(answer) ?? answer(places)),
    excused: () => Promise.resolve(isExcused),
    commit: (_, partition, next, sign) => commits.push({ partition, next, isSign: sign !== undefined }),
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
  vi.restoreAllMocks();
});

describe('a consumer that fetches nothing', () => {
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

describe("a partition of another member's that stands still", () => {
  const passes = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= LOOK_MS) {
      await pass(LOOK_MS);
      watchdog.fetched();
    }
  };
  beforeEach(() => void (places = [{ topic: 't', partition: 0, next: 5n, end: 9n, sign: '' }]));

  it('is held against nobody for as long as what it is handled with is away, and has as long as ever then', async () => {
    isExcused = true;
    await passes(2 * STALL_MS);
    isExcused = false;
    await passes(2 * STALL_MS);
    expect(crashes).toEqual([]);
    await passes(2 * LOOK_MS);
    expect(crashes[0]).toMatch(/^t\/0 stands at 5 of 9 for \d+ s although the broker answers$/);
  });

  it('has as long as ever once somebody leads it again', async () => {
    const before = places;
    await passes(LOOK_MS);
    places = [];
    await passes(3 * STALL_MS);
    places = before;
    await passes(2 * STALL_MS);
    expect(crashes).toEqual([]);
  });
});

describe('what is committed for others to see', () => {
  beforeEach(() => {
    places = [{ topic: 't', partition: 0, next: 5n, end: 9n, sign: '' }];
    watchdog.assigned({ t: [0] });
  });

  it('says that a partition is at work', async () => {
    watchdog.signOfLife('t', 0);
    await pass(LOOK_MS);
    expect(commits).toEqual([{ partition: 0, next: 5n, isSign: true }]);
  });

  it('says nothing of one that went to another member, whose own commits it would set back', async () => {
    watchdog.signOfLife('t', 0);
    watchdog.assigned({ t: [1] });
    await pass(LOOK_MS);
    expect(commits).toEqual([]);
  });

  it('is nothing where all was dealt out anew while it was asked where the group stands', async () => {
    watchdog.moved('t', 0, 7n);
    freeze();
    await pass(LOOK_MS);
    watchdog.assigned({ t: [0] });
    thaw();
    await pass(0);
    expect(commits).toEqual([]);
    await pass(LOOK_MS);
    expect(commits).toEqual([{ partition: 0, next: 7n, isSign: false }]);
  });
});

import { describe, expect, it, vi } from 'vitest';
import type { Place } from './lane-cursors.js';
import type { Page } from './read-page.js';
import { Reading, type ReadingLane } from './reading.js';

const AN_HOUR = 3_600_000;
const DONE: Place = { settled: '9:9:', reading: '9:9:', lastId: '0', upTo: '900' };
const inTheMiddle = (lastId: string): Place => ({ settled: '5:5:', reading: '9:9:', lastId, upTo: '900' });
const empty: Page = { rows: [], before: () => DONE, after: () => DONE };

class LaneAt implements ReadingLane {
  readonly token = '1';
  readonly incarnation = 'a';
  failures = 0;
  retryAt = 0;
  slow = false;
  taken = 0;

  constructor(
    readonly lane: number,
    public read: Place,
  ) {}

  get cursor(): Place {
    return this.read;
  }
  place(): string {
    return this.failures > 0 ? `lane ${this.lane}` : `${this.read.settled}/${this.read.lastId}`;
  }
  hasRoom(): boolean {
    return true;
  }
  isSlow(): boolean {
    return this.slow;
  }
  take(): void {
    this.taken += 1;
  }
}

describe('reading for lanes at different places', () => {
  it('reads nothing for one that went back while others were read for', async () => {
    const [alone, first, second] = [
      new LaneAt(0, inTheMiddle('10')),
      new LaneAt(1, inTheMiddle('500')),
      new LaneAt(2, inTheMiddle('500')),
    ];
    const asked: number[][] = [];
    const reading = new Reading<LaneAt>((lanes) => {
      asked.push(lanes.map(({ lane }) => lane));
      if (lanes.includes(alone)) {
        second.failures = 1;
        second.read = inTheMiddle('100');
      }
      return Promise.resolve(empty);
    });
    await reading.turn([alone, first, second], AN_HOUR);
    expect(asked).toEqual([[0], [1]]);
    expect(second.taken).toBe(0);
  });

  it('looks for news at once for one that was not there when others looked', async () => {
    const [there, behind] = [new LaneAt(0, DONE), new LaneAt(1, inTheMiddle('10'))];
    const asked: number[][] = [];
    const reading = new Reading<LaneAt>((lanes) => {
      asked.push(lanes.map(({ lane }) => lane));
      return Promise.resolve(empty);
    });
    const turn = () => reading.turn([there, behind], AN_HOUR);
    await turn();
    expect(asked.splice(0)).toEqual([[0], [1]]);
    behind.read = DONE;
    const pause = await turn();
    expect(pause).toBeLessThan(10);
    for (const until = Date.now() + pause + 1; Date.now() < until;) await Promise.resolve();
    await turn();
    expect(asked.splice(0)).toEqual([[0, 1]]);
    expect(await turn()).toBeGreaterThan(AN_HOUR / 2);
    reading.wake();
    expect(await turn()).toBeLessThan(10);
  });

  it('looks again for one that went back during the look, and where the look failed', async () => {
    const [there, back] = [new LaneAt(0, DONE), new LaneAt(1, DONE)];
    const looks = [
      () => Promise.reject(new Error('the database is away')),
      () => {
        back.read = { ...DONE };
        return Promise.resolve(empty);
      },
    ];
    let looked = 0;
    const reading = new Reading<LaneAt>(() => {
      looked += 1;
      return looks.shift()?.() ?? Promise.resolve(empty);
    });
    const turn = () => reading.turn([there, back], AN_HOUR);
    const lookSoon = async (): Promise<void> => {
      for (const before = looked; looked === before;) expect(await turn()).toBeLessThan(10);
    };
    await expect(turn()).rejects.toThrow('away');
    await lookSoon();
    expect(looks).toEqual([]);
    await lookSoon();
    expect(await turn()).toBeGreaterThan(AN_HOUR / 2);
  });

  it('looks for news though the clock was set back meanwhile', async () => {
    vi.useFakeTimers();
    try {
      const lanes = [new LaneAt(0, DONE)];
      const reading = new Reading<LaneAt>(() => Promise.resolve(empty));
      await reading.turn(lanes, AN_HOUR);
      vi.setSystemTime(Date.now() - AN_HOUR);
      reading.wake();
      expect(await reading.turn(lanes, AN_HOUR)).toBeLessThan(10);
    } finally {
      vi.useRealTimers();
    }
  });

  it.each([
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 0],
  ])('where a look took %i ms, looks again in %i ms: after twice as long, but one to three', async (lookMs, pause) => {
    vi.useFakeTimers();
    try {
      const lanes = [new LaneAt(0, DONE)];
      const reading = new Reading<LaneAt>(() => {
        vi.advanceTimersByTime(lookMs);
        return Promise.resolve(empty);
      });
      await reading.turn(lanes, AN_HOUR);
      reading.wake();
      expect(await reading.turn(lanes, AN_HOUR)).toBeCloseTo(pause, 6);
    } finally {
      vi.useRealTimers();
    }
  });

  it('reads for the others where one place cannot be read, and tells of it', async () => {
    const lanes = [new LaneAt(0, inTheMiddle('10')), new LaneAt(1, inTheMiddle('500')), new LaneAt(2, DONE)];
    const reading = new Reading<LaneAt>((asked) =>
      asked[0]?.lane === 0 ? Promise.reject(new Error('takes too long')) : Promise.resolve(empty),
    );
    await expect(reading.turn(lanes, AN_HOUR)).rejects.toThrow('takes too long');
    expect(lanes.map(({ taken }) => taken)).toEqual([0, 1, 1]);
  });

  it('leaves one behind whose send takes long, and keeps nothing for it', async () => {
    const [quick, slow] = [new LaneAt(0, DONE), new LaneAt(1, DONE)];
    slow.slow = true;
    await new Reading<LaneAt>(() => Promise.resolve(empty)).turn([quick, slow], AN_HOUR);
    expect([quick.taken, slow.taken]).toEqual([1, 0]);
  });
});

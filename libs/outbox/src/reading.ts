import type { Lane } from './lane.js';
import type { LaneCursor, Place } from './lane-cursors.js';
import { isExhausted, type Page } from './read-page.js';

/** How soon lanes without room are looked at again; one that makes room says so itself. */
const SLOW_CHECK_MS = 20;
/**
 * From one look for news to the next, in ms: what comes within it goes together. Twice as long as a look takes, so that a
 * process or a database that is busy is asked less often for more; not longer than three, for events wait for it that long.
 */
const gatherMs = (lookMs: number): number => Math.min(3, Math.max(1, 2 * lookMs));

/** What reading asks of a lane. */
export type ReadingLane = Pick<
  Lane,
  'place' | 'hasRoom' | 'isSlow' | 'failures' | 'retryAt' | 'take' | keyof LaneCursor
> & { readonly read: Place };

/** Reads for lanes in turn, those together that stand at the same place, as soon as there is something for them. */
export class Reading<Reader extends ReadingLane = Lane> {
  /** How often there was news, so far. */
  private wakes = 1;
  /** Of them, how many there were when a lane was last looked for. */
  private readonly seen = new WeakMap<Reader, number>();
  private lookedAt = -Infinity;
  private lookMs = 0;

  constructor(private readonly readFor: (lanes: readonly Reader[]) => Promise<Page>) {}

  /** There is something new for whoever looks from now on. */
  wake(): void {
    this.wakes += 1;
  }

  /**
   * One turn for all lanes that have room. Where one place cannot be read, the others are all the same.
   * @param pollMs from one look to the next where nobody says that there is news
   * @returns how long there is nothing more to do, in ms, unless something happens
   */
  async turn(lanes: readonly Reader[], pollMs: number): Promise<number> {
    let pause = pollMs;
    const failed: unknown[] = [];
    for (const [place, group] of groupsOf(lanes)) {
      // Others were read for since: who failed meanwhile has gone back, and what follows here is not what it needs next.
      const there = group.filter((lane) => lane.place() === place);
      const due = this.dueIn(there, pollMs);
      if (due <= 0) {
        await this.advance(there).catch((error: unknown) => failed.push(error));
        pause = 0;
      } else pause = Math.min(pause, due);
    }
    if (failed.length > 0) throw failed[0];
    return pause;
  }

  /** In how many ms it is time to read for lanes of one place; a lane that makes room says so. */
  private dueIn(lanes: readonly Reader[], pollMs: number): number {
    const [first] = lanes;
    if (first === undefined || lanes.some((lane) => !lane.hasRoom())) return SLOW_CHECK_MS;
    const now = performance.now();
    if (first.failures > 0) return first.retryAt - now;
    if (!isExhausted(first.read)) return 0;
    const hasNews = lanes.some((lane) => (this.seen.get(lane) ?? 0) < this.wakes);
    return this.lookedAt + (hasNews ? gatherMs(this.lookMs) : pollMs) - now;
  }

  private async advance(lanes: readonly Reader[]): Promise<void> {
    const [first] = lanes;
    if (first === undefined) return;
    const [began, wakes, isLook] = [performance.now(), this.wakes, isExhausted(first.read)];
    if (isLook && first.failures === 0) this.lookedAt = began;
    const asked = lanes.map((lane) => ({ lane, from: lane.read }));
    const page = await this.readFor(lanes);
    this.lookMs = performance.now() - began;
    for (const { lane, from } of asked) {
      // One that went back meanwhile takes nothing of it, so what there was is news to it still.
      if (isLook && lane.read === from) this.seen.set(lane, wakes);
      lane.take(page, from);
    }
  }
}

/**
 * Lanes that stand at the same place go together, with one query for all of them. One whose send takes long is not read for:
 * what stands beside its rows would be kept in memory with them.
 */
function groupsOf<Reader extends ReadingLane>(lanes: readonly Reader[]): Map<string, Reader[]> {
  const groups = new Map<string, Reader[]>();
  for (const lane of lanes) {
    if (lane.isSlow()) continue;
    const group = groups.get(lane.place());
    if (group === undefined) groups.set(lane.place(), [lane]);
    else group.push(lane);
  }
  return groups;
}

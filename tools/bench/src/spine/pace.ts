import { sharedClock } from './stopwatch.js';

/** Until the rate is reached: a process that has only just started does not do yet what it can. */
const RISE_MS = 5_000;

/** How much is due after so long at a rate that rises evenly to its height. */
function dueAfter(ms: number, perSecond: number): number {
  const risen = Math.min(ms, RISE_MS);
  return Math.floor(((risen ** 2 / (2 * RISE_MS) + (ms - risen)) * perSecond) / 1000);
}

/** When each of a row of events was due, and when it was committed or sent, in ms of {@link sharedClock}. */
export interface Paced {
  readonly due: Float64Array;
  readonly begun: Float64Array;
}

/** After how many ms the n-th is due: the inverse of {@link dueAfter}. */
function dueAt(n: number, perSecond: number): number {
  const ms = (n * 1000) / perSecond;
  return ms < RISE_MS / 2 ? Math.sqrt(2 * RISE_MS * ms) : ms + RISE_MS / 2;
}

/**
 * Begins work at a rate that is steady after a rise, whether or not what was begun before is done: who waits for a slow
 * answer before asking again measures its own patience.
 * @returns once all of it is done, when each was due, in ms of {@link sharedClock}
 */
export async function atRate(
  perSecond: number,
  count: number,
  begin: (n: number) => Promise<unknown>,
): Promise<Float64Array> {
  const [from, clock] = [performance.now(), sharedClock()];
  await new Promise<void>((resolve, reject) => {
    let [begun, done] = [0, 0];
    const timer = setInterval(() => {
      const due = Math.min(count, dueAfter(performance.now() - from, perSecond));
      for (; begun < due; begun += 1) {
        begin(begun).then(() => {
          done += 1;
          if (done === count) resolve();
        }, reject);
      }
      if (begun === count) clearInterval(timer);
    }, 1);
  });
  return Float64Array.from({ length: count }, (_, n) => clock + dueAt(n, perSecond));
}

/** Until the rate is reached: a process that has only just started does not do yet what it can. */
const RISE_MS = 5_000;

/** How much is due after so long at a rate that rises evenly to its height. */
function dueAfter(ms: number, perSecond: number): number {
  const risen = Math.min(ms, RISE_MS);
  return Math.floor(((risen ** 2 / (2 * RISE_MS) + (ms - risen)) * perSecond) / 1000);
}

/**
 * Begins work at a rate that is steady after a rise, whether or not what was begun before is done: who waits for a slow
 * answer before asking again measures its own patience. @returns once all of it is done
 */
export function atRate(perSecond: number, count: number, begin: (n: number) => Promise<unknown>): Promise<void> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
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
}

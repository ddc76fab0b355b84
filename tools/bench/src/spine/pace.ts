/**
 * Begins work at a steady rate, whether or not what was begun before is done: who waits for a slow answer before asking
 * again measures its own patience. @returns once all of it is done
 */
export function atRate(perSecond: number, count: number, begin: (n: number) => Promise<unknown>): Promise<void> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    let [begun, done] = [0, 0];
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((performance.now() - from) * perSecond) / 1000));
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

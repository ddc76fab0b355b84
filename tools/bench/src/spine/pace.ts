/**
 * Begins work at a steady rate, whether or not what was begun before is done: who waits for a slow answer before asking
 * again measures its own patience. @returns once all of it is done
 */
export async function atRate(perSecond: number, count: number, begin: (n: number) => Promise<unknown>): Promise<void> {
  const from = performance.now();
  const begun: Promise<unknown>[] = [];
  await new Promise<void>((resolve, reject) => {
    const timer = setInterval(() => {
      const due = Math.min(count, Math.floor(((performance.now() - from) * perSecond) / 1000));
      while (begun.length < due) {
        const work = begin(begun.length);
        work.catch(reject);
        begun.push(work);
      }
      if (begun.length < count) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
  await Promise.all(begun);
}

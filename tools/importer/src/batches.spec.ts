import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BATCH_BYTES, batchesOf, BATCH_ROWS, inFlight } from './batches.js';

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield await Promise.resolve(item);
}
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('batches', () => {
  it('end at the most rows a request may have', async () => {
    const batches = await all(
      batchesOf(from(Array.from({ length: BATCH_ROWS * 2 + 1 }, (_, at) => at)), (item) => item),
    );
    expect(batches.map((batch) => batch.length)).toEqual([BATCH_ROWS, BATCH_ROWS, 1]);
  });

  it('end before the most bytes; a larger row goes alone', async () => {
    const third = 'x'.repeat(BATCH_BYTES / 3);
    const batches = await all(batchesOf(from([third, third, third, 'y'.repeat(BATCH_BYTES * 2), 'z']), (item) => item));
    expect(batches.map((batch) => batch.length)).toEqual([2, 1, 1, 1]);
  });
});

describe('requests in flight', () => {
  it('are as many as allowed, and answer in order', async () => {
    let now = 0;
    let most = 0;
    const answers = await all(
      inFlight(from([5, 1, 3, 2, 4]), 3, async (turns) => {
        most = Math.max(most, (now += 1));
        for (let at = 0; at < turns; at += 1) await turn();
        now -= 1;
        return turns;
      }),
    );
    expect(answers).toEqual([5, 1, 3, 2, 4]);
    expect(most).toBe(3);
  });

  it('stop at the first failure, once those under way have ended', async () => {
    const ended: number[] = [];
    const work = async (item: number) => {
      await turn();
      if (item === 1) throw new Error('refused');
      ended.push(item);
      return item;
    };
    await expect(all(inFlight(from([1, 2, 3, 4, 5, 6]), 3, work))).rejects.toThrow('refused');
    expect(ended).toEqual([2, 3]);
  });
});

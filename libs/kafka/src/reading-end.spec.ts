import { describe, expect, it } from 'vitest';
import type { PartitionEnd } from './partition-ends.js';
import { ReadingEnd } from './reading-end.js';

const LEADER = 'one:9092';
const at = (end: bigint, stable = end, leader = LEADER): Map<number, PartitionEnd> =>
  new Map([[0, { end, stable, leader }]]);
const answer = (reading: ReadingEnd, broker = LEADER): void => {
  for (let n = 0; n < 4; n += 1) reading.answered(broker);
};

describe('the end of a reading', () => {
  it('is reached with what stands before it', async () => {
    const reading = new ReadingEnd(at(10n), () => Promise.reject(new Error('nobody asks')));
    reading.cameTo(0, 9n);
    expect(await reading.isReached()).toBe(false);
    reading.cameTo(0, 10n);
    expect(await reading.isReached()).toBe(true);
  });

  it('is reached where its leader gives nothing more, before and after nothing is open there', async () => {
    const reading = new ReadingEnd(at(10n), () => Promise.resolve(at(12n)));
    reading.cameTo(0, 7n);
    answer(reading);
    expect(await reading.isReached(), 'it was only asked').toBe(false);
    expect(await reading.isReached()).toBe(false);
    answer(reading);
    expect(await reading.isReached()).toBe(true);
  });

  it('is not reached by answers of a broker that does not lead', async () => {
    let asked = 0;
    const reading = new ReadingEnd(at(10n), () => Promise.resolve(at(10n, 10n, (asked += 1) ? 'two:9092' : '')));
    for (let n = 0; n < 3; n += 1) {
      answer(reading, 'three:9092');
      expect(await reading.isReached()).toBe(false);
    }
    expect(asked).toBe(0);
    answer(reading);
    expect(await reading.isReached()).toBe(false);
    // Another leads by now.
    answer(reading);
    expect(await reading.isReached()).toBe(false);
    answer(reading, 'two:9092');
    expect(await reading.isReached()).toBe(true);
  });

  it('is not reached behind what is open, nor just after something came', async () => {
    let stable = 8n;
    const reading = new ReadingEnd(at(10n), () => Promise.resolve(at(12n, stable)));
    answer(reading);
    await reading.isReached();
    answer(reading);
    expect(await reading.isReached()).toBe(false);
    stable = 12n;
    answer(reading);
    await reading.isReached();
    reading.cameTo(0, 9n);
    answer(reading);
    expect(await reading.isReached(), 'it is asked anew').toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { Standstill } from './standstill.js';

describe('a partition stands still', () => {
  it('for as long as its next offset is the same and something is behind it', () => {
    const standstill = new Standstill();
    expect(standstill.of('t/0', 5n, 9n, 1_000)).toBe(0);
    expect(standstill.of('t/0', 5n, 12n, 4_000)).toBe(3_000);
    expect(standstill.of('t/0', 6n, 12n, 5_000)).toBe(0);
    expect(standstill.of('t/0', 6n, 12n, 7_000)).toBe(2_000);
  });

  it('not where all of it is read, however long nothing comes', () => {
    const standstill = new Standstill();
    standstill.of('t/0', 5n, 5n, 1_000);
    expect(standstill.of('t/0', 5n, 5n, 90_000)).toBe(0);
    expect(standstill.of('t/0', 5n, 6n, 91_000), 'it came just now').toBe(1_000);
  });

  it('not while whoever reads it gives signs of life, and no other does by that', () => {
    const standstill = new Standstill();
    for (const name of ['t/0', 't/1']) standstill.of(name, 5n, 9n, 0);
    standstill.touch('t/0', 50_000);
    expect(standstill.of('t/0', 5n, 9n, 60_000)).toBe(10_000);
    expect(standstill.of('t/1', 5n, 9n, 60_000)).toBe(60_000);
  });

  it('from anew after what it was held up by', () => {
    const standstill = new Standstill();
    standstill.of('t/0', 5n, 9n, 0);
    standstill.forget();
    expect(standstill.of('t/0', 5n, 9n, 60_000)).toBe(0);
  });
});

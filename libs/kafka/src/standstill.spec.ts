import { describe, expect, it } from 'vitest';
import { Standstill } from './standstill.js';

describe('a partition stands still', () => {
  it('for as long as its next offset is the same and something is behind it', () => {
    const standstill = new Standstill();
    expect(standstill.of('t/0', { next: 5n, end: 9n }, 1_000)).toBe(0);
    expect(standstill.of('t/0', { next: 5n, end: 12n }, 4_000)).toBe(3_000);
    expect(standstill.of('t/0', { next: 6n, end: 12n }, 5_000)).toBe(0);
    expect(standstill.of('t/0', { next: 6n, end: 12n }, 7_000)).toBe(2_000);
  });

  it('not where all of it is read, however long nothing comes', () => {
    const standstill = new Standstill();
    standstill.of('t/0', { next: 5n, end: 5n }, 1_000);
    expect(standstill.of('t/0', { next: 5n, end: 5n }, 90_000)).toBe(0);
    expect(standstill.of('t/0', { next: 5n, end: 6n }, 91_000), 'it came just now').toBe(1_000);
  });

  it('not while whoever reads it gives signs of life, and no other does by that', () => {
    const standstill = new Standstill();
    for (const name of ['t/0', 't/1']) standstill.of(name, { next: 5n, end: 9n }, 0);
    standstill.touch('t/0', 50_000);
    expect(standstill.of('t/0', { next: 5n, end: 9n }, 60_000)).toBe(10_000);
    expect(standstill.of('t/1', { next: 5n, end: 9n }, 60_000)).toBe(60_000);
  });

  it('not while its owner says that it is at work, each time something new', () => {
    const standstill = new Standstill();
    standstill.of('t/0', { next: 5n, end: 9n, sign: '' }, 0);
    expect(standstill.of('t/0', { next: 5n, end: 9n, sign: 'a' }, 60_000)).toBe(0);
    expect(standstill.of('t/0', { next: 5n, end: 9n, sign: 'a' }, 90_000)).toBe(30_000);
  });

  it('from anew after it had nobody who could tell where it is', () => {
    const standstill = new Standstill();
    for (const name of ['t/0', 't/1']) standstill.of(name, { next: 5n, end: 9n }, 0);
    standstill.keep(new Set(['t/1']));
    expect(standstill.of('t/0', { next: 5n, end: 9n }, 60_000)).toBe(0);
    expect(standstill.of('t/1', { next: 5n, end: 9n }, 60_000)).toBe(60_000);
  });

  it('from anew after what it was held up by', () => {
    const standstill = new Standstill();
    standstill.of('t/0', { next: 5n, end: 9n }, 0);
    standstill.forget();
    expect(standstill.of('t/0', { next: 5n, end: 9n }, 60_000)).toBe(0);
  });
});

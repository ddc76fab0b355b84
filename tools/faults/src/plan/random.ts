import { createHash } from 'node:crypto';

/** Numbers that depend on nothing but their seed, the same on every machine (splitmix32). */
export class Random {
  private state: number;

  /** @param seed any words; other words, other numbers */
  constructor(...seed: readonly (string | number)[]) {
    this.state = createHash('sha256').update(JSON.stringify(seed)).digest().readUInt32BE(0);
  }

  /** From 0 up to, and without, 1. */
  fraction(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    let mixed = this.state ^ (this.state >>> 16);
    mixed = Math.imul(mixed, 0x21f0aaad);
    mixed ^= mixed >>> 15;
    mixed = Math.imul(mixed, 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  one<T>(of: readonly T[]): T {
    const chosen = of[this.between(0, of.length - 1)];
    if (chosen === undefined) throw new RangeError('nothing to choose from');
    return chosen;
  }

  /** One by its weight. */
  weighted<T>(of: readonly (readonly [T, weight: number])[]): T {
    let left = this.fraction() * of.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [item, weight] of of) if ((left -= weight) < 0) return item;
    return this.one(of)[0];
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    for (let at = left.length - 1; at > 0; at -= 1) {
      const other = this.between(0, at);
      [left[at], left[other]] = [left[other] as T, left[at] as T];
    }
    return left;
  }
}

import { expect, it } from 'vitest';
import { whatIsStrangeIn } from './strange-data.js';

const nested = (levels: number): unknown =>
  Array.from({ length: levels }).reduce<unknown>((inner, _, n) => (n % 2 === 0 ? { inner } : [inner]), 1);

it('finds what is nested deeper than 64, below the outermost, and nothing that is not', () => {
  expect(whatIsStrangeIn(nested(65))).toBeUndefined();
  expect(whatIsStrangeIn(nested(66))?.reason).toBe('too-deep');
  expect(whatIsStrangeIn(1)).toBeUndefined();
});

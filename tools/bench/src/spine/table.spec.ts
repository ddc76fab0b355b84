import { expect, it } from 'vitest';
import { figure } from './figure.js';
import { tableOf } from './table.js';

it('a figure of one round says so, and the others how far theirs were apart', () => {
  const table = tableOf([figure('memory, peak', 'MiB', [263]), figure('drain', 'ratio', [3, 2, 2.5])]);
  const spreads = table.split('\n').map((line) => line.split('|')[3]?.trim());
  expect(spreads.slice(2)).toEqual(['one round', '2 to 3']);
});

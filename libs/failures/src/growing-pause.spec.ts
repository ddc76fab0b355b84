import { expect, it } from 'vitest';
import { pauseAfter } from './index.js';

it('each failure in a row doubles the pause, up to the longest', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 5_000].map((failures) => pauseAfter(failures, { first: 100, longest: 3_000 }));
  expect(pauses).toEqual([100, 200, 400, 800, 1_600, 3_000, 3_000]);
});

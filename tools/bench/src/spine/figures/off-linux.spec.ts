import { afterEach, expect, it, vi } from 'vitest';
import type { Bench } from '../bench.js';
import { reachesMust } from '../figure.js';
import { tableOf } from '../table.js';
import { idleServices } from './idle.js';
import { memory } from './memory.js';

afterEach(() => vi.restoreAllMocks());

it.each([idleServices, memory])('what cannot be measured on this system is missed and says so: %o', async (measure) => {
  vi.spyOn(process, 'platform', 'get').mockReturnValue('darwin');
  // It is not asked anything.
  const figures = await measure({} as Bench);
  expect(figures.filter((it) => !reachesMust(it))).not.toEqual([]);
  for (const it of figures) {
    expect(reachesMust(it)).toBe(it.must === null);
    expect(tableOf([it])).toContain('not measured');
  }
});

import { join } from 'node:path';
import { FOLDER } from '../seeds.js';
import { FENCE_PLANT_NAMES, type FencePlantName } from './plants.js';
import { fenceSummary, type FenceResult } from './result.js';
import { runFence } from './run-fence.js';
import { SMALL, WHOLE } from './sizes.js';

export interface SuiteOptions {
  readonly seed: number;
  readonly small: boolean;
  /** A bug to plant; with `plants` each of them, one after the other. */
  readonly plant?: string | undefined;
  readonly plants: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** @returns whether nothing leaked, or, with a bug planted, whether it was found */
export async function runFenceSuite({ small, plant, plants, ...how }: SuiteOptions): Promise<boolean> {
  const run = async (planted: FencePlantName | undefined): Promise<FenceResult> => {
    const size = small || planted !== undefined ? SMALL : WHOLE;
    const result = await runFence({ ...how, size, plant: planted, folder: join(FOLDER, 'fence', planted ?? '') });
    how.say(`${planted === undefined ? '' : `with ${planted}: `}${fenceSummary(result)}`);
    return result;
  };
  const planted = plants ? FENCE_PLANT_NAMES : FENCE_PLANT_NAMES.filter((name) => name === plant);
  if (planted.length === 0) {
    const { leaks, wrong, little } = await run(undefined);
    return !how.signal.aborted && leaks.length + wrong.length + little.length === 0;
  }
  let found = true;
  for (const name of planted) {
    if (how.signal.aborted) return false;
    const { leaks } = await run(name);
    found &&= leaks.length > 0;
  }
  return found;
}

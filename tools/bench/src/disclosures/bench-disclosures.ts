import { runMeasures, type Measure, type RunOptions } from '../spine/run-measures.js';
import { fence } from './fence.js';
import { disclosures, growth, ledger } from './figures.js';
import { DISCLOSURE_MEASURES, type DisclosureMeasure } from './measure-names.js';

const MEASURES: Readonly<Record<DisclosureMeasure, Measure>> = { records: disclosures, growth, ledger, fence };

/** A round is long. */
const ROUNDS = 3;

export interface DisclosuresOptions extends RunOptions {
  readonly only?: readonly DisclosureMeasure[];
  readonly records?: number;
}

/** @returns whether every must is reached */
export function benchDisclosures(options: DisclosuresOptions): Promise<boolean> {
  const { only = DISCLOSURE_MEASURES, records } = options;
  return runMeasures(
    only.map((name) => MEASURES[name]),
    options,
    { sizes: { rounds: ROUNDS, ...(records !== undefined && { records }) } },
  );
}

import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { StackOptions } from '@castiron/local-stack';
import { Bench, FULL, QUICK, type Sizes } from './bench.js';
import { reachesMust, type Figure } from './figure.js';
import { load, machine } from './machine.js';
import { onStack } from './on-stack.js';
import { tableOf } from './table.js';

export type Measure = (bench: Bench) => Promise<Figure[]>;

export interface RunOptions {
  readonly json?: string;
  readonly rounds?: number;
  readonly quick: boolean;
  readonly cpuProf?: string;
}

interface Setting {
  readonly sizes?: Partial<Sizes>;
  readonly postgres?: StackOptions['postgresSettings'];
  /** Called before the first measure. */
  readonly prepare?: (bench: Bench) => Promise<void>;
}

async function measureAll(
  bench: Bench,
  measures: readonly Measure[],
  keep: (figures: readonly Figure[]) => Promise<void>,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const measure of measures) {
    const made = await measure(bench);
    await bench.endSides();
    console.log(`\n${tableOf(made)}\n`);
    figures.push(...made);
    // What follows takes long, and may fail.
    await keep(figures);
  }
  return figures;
}

/** Measures one after the other on a stack of their own, and shows what came of it. @returns whether every must is reached */
export async function runMeasures(
  measures: readonly Measure[],
  options: RunOptions,
  { sizes: own = {}, postgres = {}, prepare }: Setting = {},
): Promise<boolean> {
  const before = load();
  const sizes = {
    ...(options.quick ? QUICK : FULL),
    ...own,
    ...(options.rounds !== undefined && { rounds: options.rounds }),
  };
  const from = process.env['INIT_CWD'] ?? process.cwd();
  const profiles = options.cpuProf === undefined ? undefined : resolve(from, options.cpuProf);
  if (profiles !== undefined) await mkdir(profiles, { recursive: true });
  return onStack(async (stack) => {
    const bench = new Bench(stack, sizes, profiles);
    // A quick run has figures of the same names, and says less.
    const about = () => ({ ...machine(before), sizes });
    try {
      await prepare?.(bench);
      const keep = async (made: readonly Figure[]): Promise<void> => {
        const result = { machine: about(), figures: made };
        if (options.json !== undefined)
          await writeFile(resolve(from, options.json), `${JSON.stringify(result, null, 2)}\n`);
      };
      const figures = await measureAll(bench, measures, keep);
      console.log(`\n${tableOf(figures)}\n\n${JSON.stringify(about())}`);
      const missed = figures.filter((it) => !reachesMust(it));
      for (const { name } of missed) console.log(`missed: ${name}`);
      return missed.length === 0;
    } finally {
      await bench.close().catch(() => undefined);
    }
  }, postgres);
}

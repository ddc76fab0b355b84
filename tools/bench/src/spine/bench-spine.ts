import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CannotStart } from '@castiron/local-stack';
import { Bench, FULL, QUICK } from './bench.js';
import { ConnectWorker } from './debezium/connect-worker.js';
import { DEBEZIUM_JARS } from './debezium/jars.js';
import { reachesMust, type Figure } from './figure.js';
import { commits } from './figures/commits.js';
import { drain, drainCompressed } from './figures/drain.js';
import { idle } from './figures/idle.js';
import { inbox } from './figures/inbox.js';
import { latency } from './figures/latency.js';
import { memory } from './figures/memory.js';
import { load, machine } from './machine.js';
import { MEASURE_NAMES, type MeasureName } from './measure-names.js';
import { onStack } from './on-stack.js';
import { tableOf } from './table.js';

const MEASURES: Readonly<Record<MeasureName, (bench: Bench) => Promise<Figure[]>>> = {
  drain,
  'drain-gzip': drainCompressed,
  'latency-200': latency(200, { bare: { direction: 'atMost', must: 3, aim: 1.2 } }),
  'latency-1000': latency(1000, { debezium: { direction: 'atMost', must: 0.6, aim: 0.4 } }),
  inbox,
  commits,
  idle,
  memory,
};

export interface SpineOptions {
  readonly json?: string;
  readonly rounds?: number;
  readonly only?: readonly MeasureName[];
  readonly quick: boolean;
  readonly cpuProf?: string;
  readonly withDebezium: boolean;
}

async function measure(
  bench: Bench,
  names: readonly MeasureName[],
  keep: (figures: readonly Figure[]) => Promise<void>,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const name of names) {
    const made = await MEASURES[name](bench);
    await bench.endSides();
    console.log(`\n${tableOf(made)}\n`);
    figures.push(...made);
    // What follows takes long, and may fail.
    await keep(figures);
  }
  return figures;
}

/** @returns whether every must is reached */
export async function benchSpine(options: SpineOptions): Promise<boolean> {
  const before = load();
  const sizes = { ...(options.quick ? QUICK : FULL), ...(options.rounds !== undefined && { rounds: options.rounds }) };
  const from = process.env['INIT_CWD'] ?? process.cwd();
  const profiles = options.cpuProf === undefined ? undefined : resolve(from, options.cpuProf);
  if (profiles !== undefined) await mkdir(profiles, { recursive: true });
  if (options.withDebezium) {
    if (process.platform !== 'linux')
      throw new CannotStart("What Debezium uses of the CPU is read from Linux's /proc.");
    await DEBEZIUM_JARS.fetch();
  }
  return onStack(
    async (stack) => {
      const bench = new Bench(stack, sizes, profiles);
      // A quick run has figures of the same names, and says less.
      const about = () => ({ ...machine(before), sizes });
      try {
        if (options.withDebezium) bench.debezium = await ConnectWorker.start(stack, bench.kafka);
        const keep = async (made: readonly Figure[]): Promise<void> => {
          const result = { machine: about(), figures: made };
          if (options.json !== undefined)
            await writeFile(resolve(from, options.json), `${JSON.stringify(result, null, 2)}\n`);
        };
        const figures = await measure(bench, options.only ?? MEASURE_NAMES, keep);
        console.log(`\n${tableOf(figures)}\n\n${JSON.stringify(about())}`);
        const missed = figures.filter((it) => !reachesMust(it));
        for (const { name } of missed) console.log(`missed: ${name}`);
        return missed.length === 0;
      } finally {
        await bench.close().catch(() => undefined);
      }
    },
    options.withDebezium ? { wal_level: 'logical' } : {},
  );
}

import { CannotStart } from '@castiron/local-stack';
import { ConnectWorker } from './debezium/connect-worker.js';
import { DEBEZIUM_JARS } from './debezium/jars.js';
import { commits } from './figures/commits.js';
import { drain, drainCompressed } from './figures/drain.js';
import { idle } from './figures/idle.js';
import { inbox } from './figures/inbox.js';
import { latency } from './figures/latency.js';
import { memory } from './figures/memory.js';
import { MEASURE_NAMES, type MeasureName } from './measure-names.js';
import { runMeasures, type Measure, type RunOptions } from './run-measures.js';

const MEASURES: Readonly<Record<MeasureName, Measure>> = {
  drain,
  'drain-gzip': drainCompressed,
  'latency-200': latency(200, { bare: { direction: 'atMost', must: 3, aim: 1.2 } }),
  'latency-1000': latency(1000, { debezium: { direction: 'atMost', must: 0.6, aim: 0.4 } }),
  inbox,
  commits,
  idle,
  memory,
};

export interface SpineOptions extends RunOptions {
  readonly only?: readonly MeasureName[];
  readonly withDebezium: boolean;
}

/** @returns whether every must is reached */
export async function benchSpine(options: SpineOptions): Promise<boolean> {
  const measures = (options.only ?? MEASURE_NAMES).map((name) => MEASURES[name]);
  if (!options.withDebezium) return runMeasures(measures, options);
  if (process.platform !== 'linux') throw new CannotStart("What Debezium uses of the CPU is read from Linux's /proc.");
  await DEBEZIUM_JARS.fetch();
  return runMeasures(measures, options, {
    postgres: { wal_level: 'logical' },
    prepare: async (bench) => {
      bench.debezium = await ConnectWorker.start(bench.stack, bench.kafka);
    },
  });
}

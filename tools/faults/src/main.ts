import { join } from 'node:path';
import { DOT_CASTIRON } from '@castiron/local-stack';
import { Command, InvalidArgumentError } from 'commander';
import { LONG, SHORT } from './plan/faults.js';
import { Cluster } from './rig/cluster.js';
import { runSeed, type RunResult } from './run.js';
import { tableOf, summaryOf } from './summary.js';

const whole =
  (low: number, high: number) =>
  (text: string): number => {
    const number = Number(text);
    if (!Number.isInteger(number) || number < low || number > high)
      throw new InvalidArgumentError(`a whole number from ${low} to ${high}.`);
    return number;
  };

interface Options {
  readonly seed: number;
  readonly seeds: number;
  readonly rounds: number;
  readonly operations: number;
  readonly long: boolean;
}

const command = new Command('npm run test:faults --')
  .description(
    'Breaks everything that can break, on purpose, and checks that nothing is lost, doubled or out of order.',
  )
  .option('--seed <n>', 'the first seed', whole(0, 2 ** 31), 1)
  .option('--seeds <n>', 'so many seeds, one after the other', whole(1, 1_000), 1)
  .option('--rounds <n>', 'decks of faults for each seed', whole(0, 1_000), 1)
  .option('--operations <n>', 'operations for each seed, at least', whole(1, 1_000_000), 300)
  .option('--long', 'pauses of 45 s, ten minutes without Kafka, leases as they are in production', false)
  .action(main);

async function main(options: Options): Promise<void> {
  const ending = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      console.log('\nStopping; again to stop at once ...');
      ending.abort();
      process.once(signal, () => process.exit(130));
    });
  }
  const folder = join(DOT_CASTIRON, 'faults');
  console.log('Starting Kafka, PostgreSQL and two replicas of each service ...');
  const cluster = await Cluster.start({
    folder: join(folder, 'logs'),
    nodeArguments: [],
    leaseMs: options.long ? 10_000 : 1_000,
    tell: () => undefined,
  });
  const results: RunResult[] = [];
  try {
    for (let seed = options.seed; seed < options.seed + options.seeds && !ending.signal.aborted; seed += 1) {
      const result = await runSeed(cluster, {
        seed,
        rounds: options.rounds,
        operations: options.operations,
        severity: options.long ? LONG : SHORT,
        folder: join(folder, String(seed)),
        settleWithin: options.long ? 120_000 : 45_000,
        say: (line) => console.log(line),
        signal: ending.signal,
        demanding: options.rounds > 0,
      });
      results.push(result);
      console.log(summaryOf(result, options));
    }
  } finally {
    await cluster.stop();
  }
  console.log(tableOf(results));
  process.exitCode = !ending.signal.aborted && results.every(({ anomalies }) => anomalies.length === 0) ? 0 : 1;
}

await command.parseAsync();

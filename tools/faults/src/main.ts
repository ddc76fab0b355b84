import { Command, InvalidArgumentError, Option } from 'commander';
import { commitHere } from './commit.js';
import { PLANT_NAMES, type PlantName } from './plants/plants.js';
import { resultsSoFar, runControls, runPlanted, runSeeds, type How } from './seeds.js';
import { gapsIn, isTold, plantsTable, summaryOf, tableOf, tableOfAll, type PlantedResult } from './summary.js';

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
  readonly otherClient: boolean;
  readonly plant?: PlantName;
  readonly plants: boolean;
  readonly collect: boolean;
}

const command = new Command('npm run test:faults --')
  .description(
    'Breaks everything that can break, on purpose, and checks that nothing is lost, doubled or out of order.',
  )
  .option('--seed <n>', 'the first seed', whole(0, 2 ** 31), 1)
  .option('--seeds <n>', 'so many seeds, one after the other, on one cluster', whole(1, 1_000), 1)
  .option(
    '--rounds <n>',
    'decks of faults for each seed, all of them whole; with --long as many more as the operations take',
    whole(1, 1_000),
    1,
  )
  .option('--operations <n>', 'operations for each seed, at least', whole(1, 1_000_000), 300)
  .option('--long', 'pauses of 45 s, ten minutes without Kafka, leases as they are in production', false)
  .option('--other-client', 'have the services talk to Kafka by @platformatic/kafka, which is not shipped', false)
  .addOption(
    new Option(
      '--plant <name>',
      'see what the checker says of the same without and with a bug; exits with 0 if nothing, and the bug is found',
    ).choices(PLANT_NAMES),
  )
  .option('--plants', 'the same of one bug after the other, with a table of what the checker said of each', false)
  .option(
    '--collect',
    'run nothing, and print one table of the last result of every seed, with --long of the long runs; exits with 1 where those are not one whole run of one commit',
    false,
  )
  .addHelpText(
    'after',
    `
The long run: npm run test:faults -- --seeds 20 --operations 5000 --long
Histories are below .castiron/faults/<seed>/ and .castiron/faults/long/<seed>/, logs in logs/ beside them. Ctrl-C stops and takes everything away.`,
  );

/** A terminal sends its Ctrl-C to us, and to npm too, which hands it on. */
const SAME_PRESS_MS = 1_000;

/** The first Ctrl-C ends in order, the second at once: what we started ends with us in either case. */
function endingOnSignal(): AbortController {
  const ending = new AbortController();
  let first = Infinity;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (performance.now() - first > SAME_PRESS_MS) process.exit(130);
      if (ending.signal.aborted) return;
      first = performance.now();
      console.log('\nStopping; once more to stop at once ...');
      ending.abort();
    });
  }
  return ending;
}

async function main(options: Options): Promise<boolean> {
  if (options.collect) {
    const results = await resultsSoFar(options.long);
    if (results.length === 0) command.error('No seed was run here yet.');
    console.log(tableOfAll(results));
    const gaps = gapsIn(results, options.long);
    for (const gap of gaps) console.log(gap);
    return gaps.length === 0 && results.every(({ anomalies }) => anomalies.length === 0);
  }
  const { signal } = endingOnSignal();
  const how: How = { ...options, commit: commitHere(), say: (line) => console.log(line), signal };
  const plants = options.plants ? PLANT_NAMES : options.plant === undefined ? [] : [options.plant];
  if (plants.length > 0) return runPlants(how, options.seed, plants);
  const seeds = Array.from({ length: options.seeds }, (_, index) => options.seed + index);
  const results = await runSeeds(how, seeds, (result) => console.log(summaryOf(result, how)));
  console.log(tableOf(results));
  return !signal.aborted && results.every(({ anomalies }) => anomalies.length === 0);
}

async function runPlants(how: How, seed: number, plants: readonly PlantName[]): Promise<boolean> {
  const controls = await runControls(how, seed, plants, (plant, result) => {
    console.log(`without ${plant}: ${summaryOf(result, { ...how, plant, isControl: true })}`);
  });
  const planted: PlantedResult[] = [];
  for (const plant of plants) {
    const control = controls.get(plant);
    if (how.signal.aborted || control === undefined) return false;
    const result = await runPlanted(how, seed, plant);
    console.log(`with ${plant}: ${summaryOf(result, { ...how, plant })}`);
    planted.push({ plant, result, control });
  }
  console.log(plantsTable(planted));
  return planted.every(isTold);
}

command.action(async (options: Options) => {
  process.exitCode = (await main(options)) ? 0 : 1;
});
await command.parseAsync();
// Whatever is still open is of a cluster that was stopped.
process.exit(process.exitCode);

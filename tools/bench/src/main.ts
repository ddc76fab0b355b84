import { Command, InvalidArgumentError, Option } from 'commander';
import type { DisclosuresOptions } from './disclosures/bench-disclosures.js';
import { DISCLOSURE_MEASURES } from './disclosures/measure-names.js';
import type { SoakOptions } from './soak/soak.js';
import { MEASURE_NAMES, type MeasureName } from './spine/measure-names.js';

function whole(text: string, from: number, to: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < from || number > to)
    throw new InvalidArgumentError(`a whole number from ${from} to ${to}.`);
  return number;
}

interface SpineFlags {
  readonly json?: string;
  readonly rounds?: number;
  readonly only?: MeasureName[];
  readonly quick: boolean;
  readonly cpuProf?: string;
  readonly withDebezium: boolean;
}

const MOST_WITH_DEBEZIUM = 5;

const command = new Command('npm run bench --')
  // Options of the same name are of the command that they follow.
  .enablePositionalOptions()
  .description('Measures what the README claims in figures; ends with 1 where one misses what it must reach.')
  .option('--json <file>', 'writes machine and figures there')
  .option('--rounds <n>', 'rounds of each measure (5; with --quick 3)', (text) => whole(text, 1, 50))
  .addOption(new Option('--only <names...>', 'measures only these').choices(MEASURE_NAMES))
  .option('--with-debezium', "compares with Debezium's outbox event router too (fetched with Maven)", false)
  .option('--quick', 'short rounds that say whether it works and little more', false)
  .option('--cpu-prof <folder>', 'writes a CPU profile of each measured process there')
  .action(async (flags: SpineFlags) => {
    const { benchSpine } = await import('./spine/bench-spine.js');
    // Debezium's outbox has no relay that makes room for more ids than five full rounds take.
    if (flags.withDebezium && (flags.rounds ?? 0) > MOST_WITH_DEBEZIUM)
      command.error(`With Debezium there are ${MOST_WITH_DEBEZIUM} rounds at most.`);
    process.exitCode = (await benchSpine(flags)) ? 0 : 1;
  });

command
  .command('import')
  .description('the import of a customer base against a bare script that inserts the very rows it leaves behind')
  .option('--rows <n>', 'customers to bring in', (text) => whole(text, 1000, 10_000_000), 100_000)
  .option('--all', 'with all services running, as after "npm start"', false)
  .action(async ({ rows, all }: { rows: number; all: boolean }) => {
    const { benchImport } = await import('./bench-import.js');
    process.exitCode = (await benchImport(rows, all)) ? 0 : 1;
  });

command
  .command('ledger')
  .description('verifies a whole log offline, from a folder, against a bare SHA-256 over the same bytes')
  .option('--entries <n>', 'of the log', (text) => whole(text, 1, 100_000_000), 1_000_000)
  .action(async ({ entries }: { entries: number }) => {
    const { benchLedger } = await import('./ledger/bench-ledger.js');
    process.exitCode = (await benchLedger(entries)) ? 0 : 1;
  });

command
  .command('disclosures')
  .description('what a disclosure costs with all that stands around it, and how long it takes to take one back')
  .option('--json <file>', 'writes machine and figures there')
  .option('--rounds <n>', 'rounds of each measure (3)', (text) => whole(text, 1, 50))
  .addOption(new Option('--only <names...>', 'measures only these').choices(DISCLOSURE_MEASURES))
  .option('--records <n>', 'records of a round (20,000; with --quick 5,000), in hundreds', (text) =>
    whole(text, 1_000, 1_000_000),
  )
  .option('--quick', 'short rounds that say whether it works and little more', false)
  .option('--cpu-prof <folder>', 'writes CPU profiles of the measured processes there')
  .action(async (options: DisclosuresOptions) => {
    const { benchDisclosures } = await import('./disclosures/bench-disclosures.js');
    process.exitCode = (await benchDisclosures(options)) ? 0 : 1;
  });

command
  .command('soak')
  .description('half the top rate for long: memory, tables and latency must stay flat, or it ends with 1')
  .option('--minutes <n>', 'how long', (text) => whole(text, 1, 10_000), 30)
  .option('--svg <file>', 'plots what was seen there')
  .option('--json <file>', 'writes every sample and the verdicts there')
  .action(async (options: SoakOptions) => {
    const { soak } = await import('./soak/soak.js');
    process.exitCode = (await soak(options)) ? 0 : 1;
  });

command
  .command('feed-compaction')
  .description('how long a withdrawn value can be read on a feed that gets nothing afterwards: half an hour at most')
  .action(async () => {
    const { benchFeedCompaction } = await import('./feed-compaction.js');
    process.exitCode = (await benchFeedCompaction()) ? 0 : 1;
  });

command.command('side <name>', { hidden: true }).action(async (name: string) => {
  const { beSide } = await import('./spine/side-process.js');
  await beSide(name);
});

await command.parseAsync();

import { join } from 'node:path';
import { Command } from 'commander';
import { Mistake, PASSWORD_VARIABLE, readSettings, type TailOptions } from './config.js';
import { inColour, plain } from './display.js';
import { holdCopy } from './hold-copy.js';
import { Tail } from './tail.js';

/** Below the repository's folder, of which this file is tools/partner/dist/main.js. */
const ENDPOINTS = join(import.meta.dirname, '../../../.castiron/endpoints.json');

async function tail(slug: string, options: TailOptions): Promise<void> {
  const settings = await readSettings(slug, options);
  process.on('exit', holdCopy(settings.file));
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const colourful = options.color && process.stdout.hasColors?.() === true;
  const side = new Tail(settings, colourful ? inColour : plain, print);
  if (options.once !== true) {
    let stopping = false;
    const stop = (): void => {
      if (stopping) return;
      stopping = true;
      void side.stop().finally(() => process.exit(0));
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
  }
  await side.catchUp();
  if (options.once === true) return side.stop();
  await side.follow((error) => fail(error));
}

function fail(error: unknown): void {
  console.error(
    error instanceof Mistake
      ? error.message
      : `Cannot go on: ${error instanceof Error ? error.message : String(error)}`,
  );
  process.exit(1);
}

const program = new Command('npm run partner --').description(
  "A partner's side of Castiron: its own credentials, its own topics, and nothing else.",
);

program
  .command('tail')
  .description(
    "Shows a partner's feed live, keeps the partner's copy of what it may hold in partner-<slug>.json by replacing and deleting as the feed says, and confirms withdrawals.",
  )
  .argument('<slug>', "the partner's name")
  .option('--once', 'stop at the end of the feed')
  .option('--file <path>', 'the copy (default: partner-<slug>.json here)')
  .option('--endpoints <path>', 'where the local stack says how to get in', ENDPOINTS)
  .option('--bootstrap <host:port>', 'Kafka elsewhere; several, separated by commas')
  .option('--username <name>', `broker user; its password comes from ${PASSWORD_VARIABLE}`)
  .option('--ssl', 'speak TLS to the broker')
  .option('--no-color', 'no colours')
  .action((slug: string, options: TailOptions) => tail(slug, options));

await program.parseAsync().catch(fail);

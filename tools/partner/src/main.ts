import { join } from 'node:path';
import { Command } from 'commander';
import { askForResync } from './ask-resync.js';
import { Mistake, PASSWORD_VARIABLE, readSettings, type ConnectOptions, type TailOptions } from './config.js';
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

/** How a partner gets in, which every command needs. */
const partnerCommand = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .argument('<slug>', "the partner's name")
    .option('--endpoints <path>', 'where the local stack says how to get in', ENDPOINTS)
    .option('--bootstrap <host:port>', 'Kafka elsewhere; several, separated by commas')
    .option('--username <name>', `broker user; its password comes from ${PASSWORD_VARIABLE}`)
    .option('--ssl', 'speak TLS to the broker');

partnerCommand(
  'tail',
  "Shows a partner's feed live, keeps the partner's copy of what it may hold in partner-<slug>.json by replacing and deleting as the feed says, and confirms withdrawals.",
)
  .option('--once', 'stop at the end of the feed')
  .option('--file <path>', 'the copy (default: partner-<slug>.json here)')
  .option('--no-color', 'no colours')
  .action((slug: string, options: TailOptions) => tail(slug, options));

partnerCommand(
  'resync',
  'Asks for all records of the feed anew, because the copy was lost. They come by the feed, once an hour at most.',
)
  .option('--subject <id>', 'of this subject alone')
  .action(async (slug: string, { subject, ...options }: ConnectOptions & { readonly subject?: string }) => {
    await askForResync(await readSettings(slug, options), subject);
    process.stdout.write(`asked for ${subject === undefined ? 'everything' : 'this subject'} anew: see the feed\n`);
  });

await program.parseAsync().catch(fail);

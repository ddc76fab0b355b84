#!/usr/bin/env node
import { join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { actions, causes, discard, list, replay, show, type Portion } from './commands.js';
import { Mistake, readSettings, TOKEN_VARIABLE, type Settings } from './services.js';

/** Below the repository's folder, of which this file is tools/parked/dist/main.js. */
const ENDPOINTS = join(import.meta.dirname, '../../../.castiron/endpoints.json');

interface Options extends Omit<Portion, 'ids'> {
  readonly service?: readonly string[];
  readonly endpoints: string;
}

const program = new Command('npm run parked --').description(
  `Messages that services could not handle. The token comes from ${TOKEN_VARIABLE}, or is the local privacy officer's.`,
);

/** npm runs scripts in the project's folder; paths are meant from where the person stood. */
const settingsOf = ({ service = [], endpoints }: Options): Promise<Settings> =>
  readSettings(resolve(process.env['INIT_CWD'] ?? process.cwd(), endpoints), service, process.env[TOKEN_VARIABLE]);

function command(name: string, description: string, choosing: boolean): Command {
  const made = program
    .command(name)
    .description(description)
    .option('--service <name...>', 'only these services')
    .option('--endpoints <file>', 'where the services are', ENDPOINTS);
  if (!choosing) return made;
  return made
    .option('--topic <topic>', 'only of this topic')
    .option('--type <type>', 'only of this type')
    .option('--reason <reason>', 'only with this reason');
}

const endWith = (clean: boolean): void => {
  if (!clean) process.exitCode = 1;
};

const AFTER = ['--after <where>', 'go on where the page before says that it ended; of one service'] as const;

const portionOf = (ids: readonly string[], { topic, type, reason, after }: Options): Portion => ({
  ids,
  ...(topic !== undefined && { topic }),
  ...(type !== undefined && { type }),
  ...(reason !== undefined && { reason }),
  ...(after !== undefined && { after }),
});

command('causes', 'What is parked, by topic, type and reason', false).action(async (options: Options) =>
  endWith(await causes(await settingsOf(options))),
);

command('list', 'Parked messages, oldest first', true)
  .addOption(new Option('--state <state>').choices(['parked', 'handled', 'discarded']).default('parked'))
  .option(...AFTER)
  .action(async (options: Options & { state: string }) =>
    endWith(await list(await settingsOf(options), options.state, portionOf([], options))),
  );

command('show', 'One message, without anything personal in it; that it was looked at is recorded', false)
  .argument('<id>')
  .action(async (id: string, options: Options) => endWith(await show(await settingsOf(options), id)));

command('replay', 'Handles messages again, with what waits behind them; a dry run unless --yes is given', true)
  .argument('[ids...]')
  .option('--yes', 'do it')
  .option(...AFTER)
  .action(async (ids: string[], options: Options & { yes?: boolean }) =>
    endWith(await replay(await settingsOf(options), portionOf(ids, options), options.yes !== true)),
  );

command('discard', "Gives one service's messages up for good; a dry run unless --yes is given", true)
  .argument('[ids...]')
  .option('--yes', 'do it')
  .requiredOption('--why <sentence>', 'kept for good; without personal data')
  .action(async (ids: string[], options: Options & { why: string; yes?: boolean }) =>
    endWith(await discard(await settingsOf(options), portionOf(ids, options), options.why, options.yes !== true)),
  );

command('actions', 'Who did what, oldest first', false)
  .argument('[id]')
  .option(...AFTER)
  .action(async (id: string | undefined, options: Options) =>
    endWith(await actions(await settingsOf(options), id, options.after)),
  );

await program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof Mistake)) throw error;
  console.error(error.message);
  process.exitCode = 1;
});

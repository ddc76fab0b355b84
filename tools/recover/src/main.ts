#!/usr/bin/env node
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { recover, type Ending } from './recover.js';
import { Mistake, readServices, TOKEN_VARIABLE } from './services.js';

/** Below the repository's folder, of which this file is tools/recover/dist/main.js. */
const ENDPOINTS = join(import.meta.dirname, '../../../.castiron/endpoints.json');

const CODES: Readonly<Record<Ending, number>> = { fine: 0, failed: 1, 'to-do': 2 };

interface Options {
  readonly service?: readonly string[];
  readonly endpoints: string;
  readonly yes?: boolean;
}

const program = new Command('npm run recover --')
  .description(
    `Has services catch up whose databases were restored from a backup: what was revoked, ended, objected to or erased since is
re-applied from their topics; only then do they disclose anything. A dry run unless --yes is given; it may be broken off, and
run again. The token comes from ${TOKEN_VARIABLE}, or is the local privacy officer's.`,
  )
  .option('--yes', 'do it')
  .option('--service <name...>', 'only these services')
  .option('--endpoints <file>', 'where the services are', ENDPOINTS)
  .addHelpText(
    'after',
    `
Ends with 0 where no service stands still (any more), 2 where one does and this was a dry run, 1 where something failed.`,
  )
  .action(async ({ service = [], endpoints, yes = false }: Options) => {
    const isShown = process.stderr.isTTY;
    const voice = {
      say: (line: string) => console.log(line),
      progress: (what: string) => isShown && process.stderr.write(`\r\u001b[K${what}\r`),
    };
    // npm runs scripts in the project's folder; paths are meant from where the person stood.
    const file = resolve(process.env['INIT_CWD'] ?? process.cwd(), endpoints);
    const endings: Ending[] = [];
    for (const one of await readServices(file, service, process.env[TOKEN_VARIABLE]))
      endings.push(
        await recover(one, yes, voice).catch((error: unknown) => {
          if (!(error instanceof Mistake)) throw error;
          console.error(error.message);
          return 'failed';
        }),
      );
    const worst = (['failed', 'to-do'] as const).find((ending) => endings.includes(ending)) ?? 'fine';
    process.exitCode = CODES[worst];
  });

await program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof Mistake)) throw error;
  console.error(error.message);
  process.exitCode = CODES.failed;
});

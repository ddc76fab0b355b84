#!/usr/bin/env node
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { Mistake } from './mistake.js';
import { verifyProof } from './proof.js';
import { readStaff, replay, TOKEN_VARIABLE } from './replay.js';
import { verifierFrom, verify } from './verify.js';

/** Below the repository's folder, of which this file is tools/ledger/dist/main.js. */
const ENDPOINTS = join(import.meta.dirname, '../../../.castiron/endpoints.json');

interface Options {
  readonly from?: string;
  readonly key?: string;
  readonly remember?: string;
  readonly copy?: string;
  readonly quiet?: boolean;
}

/** npm runs scripts in the project's folder; paths are meant from where the person stood. */
const here = (path: string): string => resolve(process.env['INIT_CWD'] ?? process.cwd(), path);

const sourceOf = (from: string): string => (/^https?:\/\//.test(from) ? from : here(from));

async function localLog(): Promise<string> {
  try {
    const { services } = JSON.parse(await readFile(ENDPOINTS, 'utf8')) as {
      services: Record<string, { url: string } | undefined>;
    };
    const url = services['partner-sharing']?.url;
    if (url !== undefined) return `${url}/ledger`;
  } catch {
    // Said below.
  }
  throw new Mistake('Which log? Say --from, or start Castiron here with "npm start".');
}

const program = new Command('npm run ledger --').description(
  `The ledger of all disclosures. Anyone may verify it: no token, and nothing to be believed but the key. Replaying is for
the staff: the token comes from ${TOKEN_VARIABLE}, or is the local auditor's.`,
);

program
  .command('verify')
  .description(
    'Verifies all of a log: its entries, its tree and its signed head. Ends with 1 where it is not as it was signed',
  )
  .option('--from <address or folder>', "a log's address or a copy of it; unless told, that of this Castiron")
  .option('--key <verifier key>', "the log's key, from elsewhere; unless told, the log is asked")
  .option('--remember <file>', 'the checkpoint of the last time: compared with, and replaced where all is right', here)
  .option(
    '--copy <folder>',
    'keep a copy of all that is read; where there is one of the last time, no entry may be another',
    here,
  )
  .option('--quiet', 'no progress')
  .addHelpText(
    'after',
    `
A log that is only looked at once may show others another one, or be rewritten until the next time: give --remember, and
compare checkpoints with others (topic sharing.checkpoints.v1 has each of them).`,
  )
  .action(async ({ from, key, remember, copy, quiet }: Options) => {
    const isShown = quiet !== true && process.stderr.isTTY;
    const isRight = await verify({
      from: from === undefined ? await localLog() : sourceOf(from),
      ...(key !== undefined && { key }),
      ...(remember !== undefined && { remember }),
      ...(copy !== undefined && { copy }),
      say: (line) => console.log(line),
      ...(isShown && {
        onProgress: (done, of) => process.stderr.write(`\r${done} of ${of} entries${done === of ? '\n' : ''}`),
      }),
    });
    if (!isRight) process.exitCode = 1;
  });

program
  .command('proof')
  .description('Verifies the proof of one entry, and shows the entry. Ends with 1 where it proves nothing')
  .argument('<file>', 'a proof, as customers and recipients get it', here)
  .requiredOption('--key <verifier key>', "the log's key, from elsewhere")
  .action(async (file: string, { key }: { key: string }) => {
    if (!(await verifyProof(file, verifierFrom(key), (line) => console.log(line)))) process.exitCode = 1;
  });

program
  .command('replay')
  .description(
    'Decides an entry again, on the facts of then. Ends with 1 where it says another thing, 2 where nobody can tell',
  )
  .argument('<entry>', "the entry's id")
  .option('--endpoints <file>', 'where partner-sharing is', here, ENDPOINTS)
  .action(async (entry: string, { endpoints }: { endpoints: string }) => {
    process.exitCode = await replay(await readStaff(endpoints, process.env[TOKEN_VARIABLE]), entry, (line) =>
      console.log(line),
    );
  });

await program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof Mistake)) throw error;
  console.error(error.message);
  process.exitCode = 1;
});

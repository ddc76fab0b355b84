import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Castiron } from './castiron.js';
import type { Said } from './parked-command.js';

const PROGRAM = join(import.meta.dirname, '../../tools/castiron.mjs');

/** `npm run recover -- ARGS` as an operator runs it, for a system of a spec's own. */
export async function recoverCommand(castiron: Castiron, folder: string, ...args: readonly string[]): Promise<Said> {
  const file = join(folder, 'endpoints.json');
  await writeFile(file, JSON.stringify(castiron.endpoints), { mode: 0o600 });
  return execa(process.execPath, [PROGRAM, 'recover', '--endpoints', file, ...args], { reject: false });
}

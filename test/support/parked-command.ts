import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintToken } from '@castiron/local-stack';
import { execa } from 'execa';
import type { Castiron } from './castiron.js';

const PROGRAM = join(import.meta.dirname, '../../tools/castiron.mjs');

export const AT_A_TERMINAL = 'officer-at-a-terminal';

export interface Said {
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run parked -- ARGS` as an operator runs it, with a token of their own. */
export async function parkedCommand({ endpoints }: Castiron, ...args: readonly string[]): Promise<Said> {
  const folder = await mkdtemp(join(tmpdir(), 'castiron-parked-'));
  try {
    const file = join(folder, 'endpoints.json');
    await writeFile(file, JSON.stringify(endpoints), { mode: 0o600 });
    const token = await mintToken(endpoints.identity, 'privacy-officer', AT_A_TERMINAL);
    return await execa(process.execPath, [PROGRAM, 'parked', ...args, '--endpoints', file], {
      env: { CASTIRON_TOKEN: token },
      reject: false,
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

import { join } from 'node:path';
import { mintToken } from '@castiron/local-stack';
import { execa } from 'execa';
import type { Castiron } from './castiron.js';
import { withEndpointsFile } from './endpoints-file.js';

const PROGRAM = join(import.meta.dirname, '../../tools/castiron.mjs');

export const AT_A_TERMINAL = 'officer-at-a-terminal';

export interface Said {
  readonly exitCode?: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run parked -- ARGS` as an operator runs it, with a token of their own. */
export const parkedCommand = (castiron: Castiron, ...args: readonly string[]): Promise<Said> =>
  withEndpointsFile(castiron, async (file) => {
    const token = await mintToken(castiron.endpoints.identity, 'privacy-officer', AT_A_TERMINAL);
    return execa(process.execPath, [PROGRAM, 'parked', ...args, '--endpoints', file], {
      env: { CASTIRON_TOKEN: token },
      reject: false,
    });
  });

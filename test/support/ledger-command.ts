import { join } from 'node:path';
import { mintToken } from '@castiron/local-stack';
import { execa } from 'execa';
import type { Castiron } from './castiron.js';
import { withEndpointsFile } from './endpoints-file.js';
import type { Said } from './parked-command.js';

const PROGRAM = join(import.meta.dirname, '../../tools/castiron.mjs');

/** `npm run ledger -- ARGS` as anybody runs it, without a token. */
export const ledgerCommand = (...args: readonly string[]): Promise<Said> =>
  execa(process.execPath, [PROGRAM, 'ledger', ...args], { reject: false });

/** `npm run ledger -- replay ENTRY` as somebody with this role runs it. */
export const replayCommand = (castiron: Castiron, entry: string, role = 'auditor'): Promise<Said> =>
  withEndpointsFile(castiron, async (file) => {
    const token = await mintToken(castiron.endpoints.identity, role, `${role}-at-a-terminal`);
    return execa(process.execPath, [PROGRAM, 'ledger', 'replay', entry, '--endpoints', file], {
      env: { CASTIRON_TOKEN: token },
      reject: false,
    });
  });

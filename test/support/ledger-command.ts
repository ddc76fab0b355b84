import { join } from 'node:path';
import { execa } from 'execa';
import type { Said } from './parked-command.js';

const PROGRAM = join(import.meta.dirname, '../../tools/castiron.mjs');

/** `npm run ledger -- ARGS` as anybody runs it, without a token. */
export const ledgerCommand = (...args: readonly string[]): Promise<Said> =>
  execa(process.execPath, [PROGRAM, 'ledger', ...args], { reject: false });

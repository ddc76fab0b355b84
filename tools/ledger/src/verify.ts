import { readFile } from 'node:fs/promises';
import {
  LogAltered,
  NoteRefused,
  NotInLog,
  noteVerifier,
  verifyLog,
  type LogSource,
  type NoteVerifier,
} from '@castiron/ledger';
import { copying, folderLog, keep } from './folder-log.js';
import { fetched, httpLog } from './http-log.js';
import { Mistake } from './mistake.js';

export interface Verifying {
  /** An address, or a folder with a copy. */
  readonly from: string;
  /** The log's verifier key; without one, the log is asked for it. */
  readonly key?: string;
  /** A file with the checkpoint of the verification before, if there was one. */
  readonly remember?: string;
  /** A folder that all is copied to. */
  readonly copy?: string;
  readonly say: (line: string) => void;
  readonly onProgress?: (verified: number, of: number) => void;
}

const isAddress = (from: string): boolean => /^https?:\/\//.test(from);

/** @throws Mistake where the text is none */
export function verifierFrom(key: string): NoteVerifier {
  try {
    return noteVerifier(key);
  } catch (error) {
    throw new Mistake(`No verifier key: ${error instanceof Error ? error.message : String(error)}`);
  }
}

async function verifierOf({ from, key, say }: Verifying): Promise<NoteVerifier> {
  const given = key ?? (isAddress(from) ? String(await fetched(from, 'verifier-key')).trim() : undefined);
  if (given === undefined) throw new Mistake('A copy is verified with the key of its log: --key.');
  if (key === undefined)
    say('The log itself says what its key is: with --key, from elsewhere, nobody can stand in for it.');
  return verifierFrom(given);
}

async function remembered(file: string | undefined): Promise<Buffer[]> {
  if (file === undefined) return [];
  return readFile(file).then(
    (note) => [note],
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw new Mistake(`Cannot read ${file}: ${error.message}`);
    },
  );
}

/**
 * Verifies a whole log, and says what came of it.
 * @returns whether it is as it was signed
 * @throws Mistake
 */
export async function verify(options: Verifying): Promise<boolean> {
  const { from, remember, copy, say, onProgress } = options;
  const source: LogSource = isAddress(from) ? httpLog(from) : folderLog(from);
  const { log, end } = copy === undefined ? { log: source, end: () => Promise.resolve() } : copying(source, copy);
  const verifier = await verifierOf(options);
  const before = await remembered(remember);
  let checkpoint: Buffer | undefined;
  const read = { ...log, checkpoint: async () => (checkpoint = await log.checkpoint()) };
  try {
    const head = await verifyLog({ log: read, verifier, remembered: before, ...(onProgress && { onProgress }) });
    await end();
    if (remember !== undefined && checkpoint !== undefined) await keep(remember, checkpoint);
    const since = before.length > 0 ? ', and goes on from what was remembered' : '';
    say(`${verifier.name}: all of ${head.size} entries are as they were signed${since}.`);
    say(`root ${head.root.toString('base64')}`);
    return true;
  } catch (error) {
    if (error instanceof NotInLog) throw new Mistake(`No log: ${error.message}`);
    if (!(error instanceof LogAltered || error instanceof NoteRefused)) throw error;
    say(error instanceof LogAltered ? `NOT as it was signed. ${error.message}` : `NOT VERIFIED: ${error.message}`);
    if (error.cause instanceof Error) say(`  ${error.cause.message}`);
    return false;
  }
}

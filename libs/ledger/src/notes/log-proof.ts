import { HASH_BYTES } from '../tree/node-hash.js';
import { isIncluded } from '../tree/verify-proofs.js';
import { fromBase64 } from './base64.js';
import { openCheckpoint } from './checkpoint.js';
import type { NoteVerifier } from './note-keys.js';
import { NoteRefused } from './signed-note.js';

const FORMAT = 'c2sp.org/tlog-proof@v1';

/** That an entry stands at an index of a log: what anyone can verify without asking the log (C2SP tlog-proof). */
export interface LogProof {
  readonly index: number;
  /** The leaf's sibling first. */
  readonly path: readonly Buffer[];
  /** The signed note, as the log issued it. */
  readonly checkpoint: string;
  /** Whatever was put beside, which nothing proves: here the entry itself, to be hashed. */
  readonly extra?: Buffer | undefined;
}

export function formatLogProof({ index, path, checkpoint, extra }: LogProof): string {
  const beside = extra === undefined ? [] : [`extra ${extra.toString('base64')}`];
  const lines = [FORMAT, ...beside, `index ${index}`, ...path.map((one) => one.toString('base64'))];
  return `${lines.join('\n')}\n\n${checkpoint}`;
}

/** No tree that can be counted has longer paths. */
const MAX_PATH = 64;

/** @throws NoteRefused where the text is no proof */
export function parseLogProof(text: string): LogProof {
  const end = text.indexOf('\n\n');
  const [format, ...lines] = text.slice(0, Math.max(end, 0)).split('\n');
  if (format !== FORMAT) throw new NoteRefused(`a proof begins with ${FORMAT}, and a checkpoint follows an empty line`);
  const extra =
    lines[0]?.startsWith('extra ') === true ? fromBase64(lines.shift()?.slice('extra '.length) ?? '') : undefined;
  const [, index] = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '') ?? [];
  if (index === undefined || !Number.isSafeInteger(Number(index))) throw new NoteRefused('the proof names no index');
  if (lines.length > MAX_PATH) throw new NoteRefused(`a proof has at most ${MAX_PATH} hashes`);
  const path = lines.map((line) => {
    const one = fromBase64(line);
    if (one?.length !== HASH_BYTES) throw new NoteRefused('a line of the proof is no hash');
    return one;
  });
  return { index: Number(index), path, checkpoint: text.slice(end + 2), extra };
}

/**
 * Where in the log the leaf stands, if the proof proves it under a checkpoint of this key.
 * @throws NoteRefused where it does not: what is wrong
 */
export function verifyLogProof(text: string, leafHash: Buffer, verifier: NoteVerifier): number {
  const { index, path, checkpoint } = parseLogProof(text);
  const head = openCheckpoint(Buffer.from(checkpoint, 'utf8'), verifier);
  if (!isIncluded(path, index, leafHash, head))
    throw new NoteRefused(`the proof does not lead from this entry at ${index} to the root of the checkpoint`);
  return index;
}

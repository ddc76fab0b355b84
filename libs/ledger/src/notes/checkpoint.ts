import { HASH_BYTES } from '../tree/node-hash.js';
import type { TreeHead } from '../tree/verify-proofs.js';
import { fromBase64 } from './base64.js';
import type { NoteSigner, NoteVerifier } from './note-keys.js';
import { NoteRefused, openNote, signNote } from './signed-note.js';

/** The text that a log signs of its tree: origin, size and root, a line each (C2SP tlog-checkpoint). */
const textOf = (origin: string, { size, root }: TreeHead): string => `${origin}\n${size}\n${root.toString('base64')}\n`;

/** A head of the tree, signed; the signer's name is the log's origin. */
export const signCheckpoint = (head: TreeHead, signer: NoteSigner): string =>
  signNote(textOf(signer.name, head), signer);

/**
 * What a checkpoint says, once its signature is verified. Lines behind the root say nothing to us and are passed over.
 * @throws NoteRefused where it is not a checkpoint of this log, signed by this key
 */
export function openCheckpoint(note: Buffer, verifier: NoteVerifier): TreeHead {
  const [origin, size = '', encoded = ''] = openNote(note, verifier).split('\n');
  if (origin !== verifier.name) throw new NoteRefused('the checkpoint is of another log');
  const root = fromBase64(encoded);
  if (!/^(?:0|[1-9]\d*)$/.test(size) || !Number.isSafeInteger(Number(size)) || root?.length !== HASH_BYTES)
    throw new NoteRefused('the text of the note is no checkpoint');
  return { size: Number(size), root };
}

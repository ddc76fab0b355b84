import { sign, verify } from 'node:crypto';
import { fromBase64 } from './base64.js';
import { KEY_ID_BYTES, type NoteSigner, type NoteVerifier } from './note-keys.js';

/** Larger ones are refused: it holds 16 of the longest signatures known, and text beside them. */
const MAX_NOTE_BYTES = 131_072;

const SIGNATURE_LINE = /^— (\S+) (\S+)$/u;

/** A note that is none, or that no known key vouches for. */
export class NoteRefused extends Error {
  override readonly name = 'NoteRefused';
}

/** What the bytes may be: UTF-8 without control characters but newline. */
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/u;

/**
 * @param text ends in a newline
 * @returns the note (C2SP signed-note): text, empty line, a line for the signature
 * @throws TypeError where the text cannot be that of a note: a bug of the caller
 */
export function signNote(text: string, signer: NoteSigner): string {
  const bytes = Buffer.from(text, 'utf8');
  if (!text.endsWith('\n') || CONTROL.test(text) || bytes.toString('utf8') !== text)
    throw new TypeError('the text of a note ends in a newline and has no other control characters');
  const signature = Buffer.concat([signer.id, sign(null, bytes, signer.privateKey)]);
  return `${text}\n— ${signer.name} ${signature.toString('base64')}\n`;
}

function textOf(note: Buffer): string {
  if (note.length > MAX_NOTE_BYTES) throw new NoteRefused(`a note has at most ${MAX_NOTE_BYTES} bytes`);
  const text = note.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(note) || CONTROL.test(text))
    throw new NoteRefused('a note is UTF-8 without control characters');
  return text;
}

/** Whether this line is a signature by the key over the text; undefined where it is of another key. */
function signedBy(line: string, text: string, verifier: NoteVerifier): boolean | undefined {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  const signature = encoded === undefined ? undefined : fromBase64(encoded);
  if (name === undefined || signature === undefined || signature.length <= KEY_ID_BYTES)
    throw new NoteRefused('a line below the text of the note is no signature');
  if (name !== verifier.name || !signature.subarray(0, KEY_ID_BYTES).equals(verifier.id)) return undefined;
  return verify(null, Buffer.from(text, 'utf8'), verifier.publicKey, signature.subarray(KEY_ID_BYTES));
}

/**
 * The text of a note that this key signed. Signatures of other keys are passed over (C2SP signed-note).
 * @throws NoteRefused where it is no note, where the key's signature is missing, or where one is not over this text
 */
export function openNote(note: Buffer, verifier: NoteVerifier): string {
  const whole = textOf(note);
  const end = whole.lastIndexOf('\n\n');
  if (end === -1 || !whole.endsWith('\n')) throw new NoteRefused('a note is a text, an empty line and signatures');
  const text = whole.slice(0, end + 1);
  const lines = whole.slice(end + 2, -1).split('\n');
  const verdicts = lines.map((line) => signedBy(line, text, verifier));
  if (verdicts.includes(false)) throw new NoteRefused(`the signature of ${verifier.name} is not over this text`);
  if (!verdicts.includes(true)) throw new NoteRefused(`the note bears no signature of ${verifier.name}`);
  return text;
}

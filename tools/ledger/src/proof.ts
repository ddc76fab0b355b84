import { readFile } from 'node:fs/promises';
import { leafHash, NoteRefused, parseLogProof, verifyLogProof, type NoteVerifier } from '@castiron/ledger';
import { Mistake } from './mistake.js';

/**
 * Verifies the proof of one entry, and shows the entry that it is of.
 * @returns whether the entry stands in the log
 */
export async function verifyProof(file: string, verifier: NoteVerifier, say: (line: string) => void): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Mistake(`Cannot read ${file}: ${error.message}`);
  });
  try {
    const { extra } = parseLogProof(text);
    if (extra === undefined) throw new Mistake('The proof has no entry beside it: there is nothing to prove.');
    const index = verifyLogProof(text, leafHash(extra), verifier);
    say(`${verifier.name}: entry ${index} is`);
    say(JSON.stringify(JSON.parse(String(extra)), null, 2));
    return true;
  } catch (error) {
    if (!(error instanceof NoteRefused)) throw error;
    say(`NOT PROVEN: ${error.message}`);
    return false;
  }
}

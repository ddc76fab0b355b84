import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { leafHash } from '../leaf-hash.js';
import { StoredTree } from '../testing/stored-tree.js';
import { TiledTree } from '../tree/tiled-tree.js';
import { signCheckpoint } from './checkpoint.js';
import { formatLogProof, parseLogProof, verifyLogProof } from './log-proof.js';
import { noteSigner, noteVerifier } from './note-keys.js';
import { NoteRefused } from './signed-note.js';

const signer = noteSigner('castiron.example/ledger', randomBytes(32));
const verifier = noteVerifier(signer.verifierKey);

const leaves = Array.from({ length: 300 }, (_, n) => leafHash(Buffer.from(`entry ${n}`)));
const stored = new StoredTree();
await stored.append(leaves);
const tree = new TiledTree(leaves.length, stored.read);
const checkpoint = signCheckpoint({ size: tree.size, root: await tree.root() }, signer);
const proofOf = async (index: number) => formatLogProof({ index, path: await tree.inclusionProof(index), checkpoint });

describe('a proof that an entry is in the log', () => {
  it('says so to who has the entry and the key of the log', async () => {
    for (const index of [0, 1, 255, 256, 299])
      expect(verifyLogProof(await proofOf(index), leaves[index]!, verifier)).toBe(index);
  });

  it('is a line each for the format, the index and the path, and the checkpoint (C2SP tlog-proof)', async () => {
    const text = await proofOf(299);
    expect(text.split('\n').slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 299']);
    expect(text.endsWith(`\n\n${checkpoint}`)).toBe(true);
  });

  it('may carry more beside, which proves nothing', async () => {
    const text = (await proofOf(7)).replace('\nindex', '\nextra bW9yZQ==\nindex');
    expect(verifyLogProof(text, leaves[7]!, verifier)).toBe(7);
    expect(parseLogProof(text).extra).toEqual(Buffer.from('more'));
    const entry = Buffer.from('entry 7');
    expect(parseLogProof(formatLogProof({ ...parseLogProof(text), extra: entry })).extra).toEqual(entry);
  });

  it('proves no other entry, no other place and nothing under the key of another', async () => {
    const text = await proofOf(7);
    expect(() => verifyLogProof(text, leaves[8]!, verifier)).toThrow(/does not lead/);
    expect(() => verifyLogProof(text.replace('index 7', 'index 8'), leaves[7]!, verifier)).toThrow(/does not lead/);
    const other = noteSigner('castiron.example/ledger', randomBytes(32));
    expect(() => verifyLogProof(text, leaves[7]!, noteVerifier(other.verifierKey))).toThrow(NoteRefused);
  });

  it.each([
    ['', /begins with/],
    ['c2sp.org/tlog-proof@v2\nindex 1\n\nx', /begins with/],
    ['c2sp.org/tlog-proof@v1\n\nx', /names no index/],
    ['c2sp.org/tlog-proof@v1\nindex 01\n\nx', /names no index/],
    ['c2sp.org/tlog-proof@v1\nindex 9007199254740992\n\nx', /names no index/],
    ['c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx', /is no hash/],
    [`c2sp.org/tlog-proof@v1\nindex 1\n${'x\n'.repeat(65)}\nx`, /at most 64/],
  ])('%j is none', (text, problem) => {
    expect(() => parseLogProof(text)).toThrow(problem);
  });
});

import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { leafHash } from './leaf-hash.js';
import { openCheckpoint, signCheckpoint } from './notes/checkpoint.js';
import { noteSigner, noteVerifier } from './notes/note-keys.js';
import { KeptLog } from './testing/kept-log.js';
import { TiledTree } from './tree/tiled-tree.js';
import { tilePath } from './tree/tile-path.js';
import { isConsistent, isIncluded, type TreeHead } from './tree/verify-proofs.js';
import vectors from '../vectors/vectors.json' with { type: 'json' };

const entry = (n: number): Buffer => Buffer.from(`entry ${n}`);
const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');
const texts = (hashes: readonly Buffer[]): string[] => hashes.map((one) => one.toString('base64'));

const signer = noteSigner(vectors.origin, bytes(vectors.seed));
const log = new KeptLog(signer);
for (const { size } of vectors.heads)
  await log.append(Array.from({ length: size - log.entries.length }, (_, n) => entry(log.entries.length + n)));
const treeOf = (size: number): TiledTree => new TiledTree(size, log.tile);
const rootOf = new Map(vectors.heads.map(({ size, root }) => [size, bytes(root)]));
const headOf = (size: number): TreeHead => ({ size, root: rootOf.get(size)! });

describe('vectors made with golang.org/x/mod/sumdb', () => {
  it('has the same key, roots and checkpoints, to the byte', () => {
    expect(signer.verifierKey).toBe(vectors.verifierKey);
    expect(log.checkpoints.map(String)).toEqual(vectors.heads.map(({ checkpoint }) => checkpoint));
    for (const { size, root, checkpoint } of vectors.heads) {
      const head = openCheckpoint(Buffer.from(checkpoint), noteVerifier(vectors.verifierKey));
      expect(head).toEqual({ size, root: bytes(root) });
      expect(signCheckpoint(head, signer)).toBe(checkpoint);
    }
  });

  it('has the same proofs that an entry is in the tree, and believes them', async () => {
    for (const { index, size, path } of vectors.inclusion) {
      expect(texts(await treeOf(size).inclusionProof(index))).toEqual(path);
      expect(isIncluded(path.map(bytes), index, leafHash(entry(index)), headOf(size))).toBe(true);
    }
  });

  it('has the same proofs that a tree is the beginning of another, and believes them', async () => {
    for (const { from, size, path } of vectors.consistency) {
      expect(texts(await treeOf(size).consistencyProof(from))).toEqual(path);
      expect(isConsistent(path.map(bytes), headOf(from), headOf(size))).toBe(true);
    }
  });
});

const go = fileURLToPath(new URL('../vectors/', import.meta.url));
const present = spawnSync('go', ['mod', 'download'], { cwd: go, stdio: 'ignore' }).status === 0;

// Where Go and its module can be had; elsewhere the vectors above stand for them.
if (!present) process.stderr.write('Not compared live: Go, or its module golang.org/x/mod, is not here.\n');
if (present)
  describe('what is made here, read with golang.org/x/mod/sumdb', () => {
    const runGo = (verb: string, input?: string): string =>
      execFileSync('go', ['run', '.', verb], { cwd: go, input, encoding: 'utf8' });

    it('is what the vectors in the tree are', { timeout: 300_000 }, () => {
      expect(JSON.parse(runGo('vectors'))).toEqual(vectors);
    });

    it('is a log with the same tiles, heads and proofs', { timeout: 300_000 }, async () => {
      const sizes = vectors.heads.map(({ size }) => size);
      const inclusion = sizes.map((size) => ({ index: Math.floor(size / 5), size }));
      const consistency = sizes.slice(1).map((size, n) => ({ from: sizes[n]!, size }));
      const made = {
        verifierKey: signer.verifierKey,
        entries: log.entries.map(String),
        checkpoints: log.checkpoints.map(String),
        tiles: Object.fromEntries(
          [...log.tree.tiles].map(([at, hashes]) => {
            const [level, index] = at.split('/').map(Number);
            return [tilePath({ level: level!, index: index!, width: hashes.length / 32 }), hashes.toString('base64')];
          }),
        ),
        inclusion: await Promise.all(
          inclusion.map(async (one) => ({ ...one, path: texts(await treeOf(one.size).inclusionProof(one.index)) })),
        ),
        consistency: await Promise.all(
          consistency.map(async (one) => ({ ...one, path: texts(await treeOf(one.size).consistencyProof(one.from)) })),
        ),
      };
      expect(runGo('check', JSON.stringify(made))).toMatch(/^checked 11 checkpoints, 11 and 10 proofs, [1-9]\d* tiles/);
      made.tiles['tile/0/000'] = made.tiles['tile/0/001']!;
      expect(() => runGo('check', JSON.stringify(made))).toThrow();
    });
  });

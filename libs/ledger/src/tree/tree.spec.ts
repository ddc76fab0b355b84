import { hash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash } from '../leaf-hash.js';
import { StoredTree } from '../testing/stored-tree.js';
import { CompactRange } from './compact-range.js';
import { EMPTY_ROOT, nodeHash } from './node-hash.js';
import { TiledTree } from './tiled-tree.js';
import { isConsistent, isIncluded, type TreeHead } from './verify-proofs.js';

const leaf = (n: number): Buffer => leafHash(Buffer.from(`entry ${n}`));
const leaves = (count: number): Buffer[] => Array.from({ length: count }, (_, n) => leaf(n));

/** MTH of RFC 9162 section 2.1.1, word by word. */
function mth(hashes: readonly Buffer[]): Buffer {
  if (hashes.length === 0) return EMPTY_ROOT;
  if (hashes.length === 1) return hashes[0]!;
  const k = 2 ** Math.ceil(Math.log2(hashes.length) - 1);
  return nodeHash(mth(hashes.slice(0, k)), mth(hashes.slice(k)));
}

/** Around the edges of tiles and of powers of two, and anywhere. */
const sizes = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537),
  fc.nat(1_000),
);

const all = leaves(66_000);
const stored = new StoredTree();
await stored.append(all);
const treeOf = (size: number): TiledTree => new TiledTree(size, stored.read);
const headOf = async (size: number): Promise<TreeHead> => ({ size, root: await treeOf(size).root() });

const other = (bytes: Buffer): Buffer => hash('sha256', bytes, 'buffer');

describe('a tree in tiles', () => {
  it('has the root that RFC 9162 defines, whatever its size, and a growing one has the same', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        const expected = mth(all.slice(0, size));
        expect(await treeOf(size).root()).toEqual(expected);
        const range = new CompactRange();
        for (const hashed of all.slice(0, size)) range.append(hashed);
        expect(range.root()).toEqual(expected);
        expect(range.size).toBe(size);
      }),
    );
  });

  it('has the same tiles however it grew', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(700), { maxLength: 5 }), async (steps) => {
        const grown = new StoredTree();
        for (const step of steps) await grown.append(all.slice(grown.size, grown.size + step));
        const atOnce = new StoredTree();
        await atOnce.append(all.slice(0, grown.size));
        expect(grown.tiles).toEqual(atOnce.tiles);
      }),
      { numRuns: 30 },
    );
  });

  it('proves each of its entries, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        sizes.filter((size) => size > 0),
        fc.nat(),
        async (size, anyIndex) => {
          const index = anyIndex % size;
          const head = await headOf(size);
          const proof = await treeOf(size).inclusionProof(index);
          expect(isIncluded(proof, index, all[index]!, head)).toBe(true);
          expect(isIncluded(proof, index, leaf(-1), head)).toBe(false);
          expect(isIncluded([...proof, leaf(-1)], index, all[index]!, head)).toBe(false);
          expect(isIncluded(proof, index, all[index]!, { size, root: other(head.root) })).toBe(false);
          for (const wrong of [index - 1, index + 1, size, NaN, index + 0.5])
            expect(isIncluded(proof, wrong, all[index]!, head)).toBe(false);
          for (const [n, one] of proof.entries()) {
            expect(isIncluded(proof.with(n, other(one)), index, all[index]!, head)).toBe(false);
            expect(isIncluded(proof.toSpliced(n, 1), index, all[index]!, head)).toBe(false);
          }
        },
      ),
    );
  });

  it('proves that each smaller one is its beginning, and nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, async (one, two) => {
        const [older, newer] = [await headOf(Math.min(one, two)), await headOf(Math.max(one, two))];
        const proof = await treeOf(newer.size).consistencyProof(older.size);
        expect(isConsistent(proof, older, newer)).toBe(true);
        expect(isConsistent([...proof, leaf(-1)], older, newer)).toBe(false);
        expect(isConsistent(proof, { ...older, root: other(older.root) }, newer)).toBe(false);
        if (older.size > 0) expect(isConsistent(proof, older, { ...newer, root: other(newer.root) })).toBe(false);
        if (older.size < newer.size) expect(isConsistent(proof, newer, older)).toBe(false);
        for (const [n, hashed] of proof.entries()) {
          expect(isConsistent(proof.with(n, other(hashed)), older, newer)).toBe(false);
          expect(isConsistent(proof.toSpliced(n, 1), older, newer)).toBe(false);
        }
      }),
    );
  });

  it('has neither entries nor beginnings behind its end', async () => {
    await expect(treeOf(5).inclusionProof(5)).rejects.toThrow(RangeError);
    await expect(treeOf(5).inclusionProof(-1)).rejects.toThrow(RangeError);
    await expect(treeOf(5).consistencyProof(6)).rejects.toThrow(RangeError);
  });

  it('takes no tile of another length', async () => {
    const short = new TiledTree(300, async (tile) => (await stored.read(tile)).subarray(1));
    await expect(short.root()).rejects.toThrow(/has 31 bytes, not 32/);
  });
});

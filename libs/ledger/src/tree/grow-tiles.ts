import { HASH_BYTES } from './node-hash.js';
import { hashesAt, readTile, rootWithin, TILE_WIDTH, type ReadTile } from './tile.js';

/** A tile and its hashes: as many as 32 fits into their length. */
export interface GrownTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
}

const TILE_BYTES = TILE_WIDTH * HASH_BYTES;

/**
 * The tiles that a tree has new, or wider than before, once these leaf hashes follow its first `size` ones.
 * @param read gives the last tile of a level as wide as it is at `size`
 */
export async function growTiles(
  size: number,
  leafHashes: readonly Buffer[],
  read: ReadTile,
): Promise<readonly GrownTile[]> {
  const grown: GrownTile[] = [];
  let fresh = leafHashes;
  for (let level = 0; fresh.length > 0; level++) {
    const before = hashesAt(size, level);
    const first = Math.floor(before / TILE_WIDTH);
    const width = before % TILE_WIDTH;
    const begun = width > 0 ? [await readTile(read, { level, index: first, width })] : [];
    const hashes = Buffer.concat([...begun, ...fresh]);
    const roots: Buffer[] = [];
    for (let at = 0; at < hashes.length; at += TILE_BYTES) {
      const tile = hashes.subarray(at, at + TILE_BYTES);
      grown.push({ level, index: first + at / TILE_BYTES, hashes: tile });
      if (tile.length === TILE_BYTES) roots.push(rootWithin(tile, 0, TILE_WIDTH));
    }
    fresh = roots;
  }
  return grown;
}

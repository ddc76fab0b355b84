import { HASH_BYTES, nodeHash } from './node-hash.js';

/** Hashes of a full tile (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;

/** Which tile: its level (0 has leaf hashes), its index within the level, and how many hashes of it (1 to 256). */
export interface TileAddress {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** Gives a tile's hashes, one after the other: 32 bytes times its width. */
export type ReadTile = (tile: TileAddress) => Promise<Buffer>;

/** @throws RangeError where what is read is not as long as the tile is wide; whatever `read` throws */
export async function readTile(read: ReadTile, tile: TileAddress): Promise<Buffer> {
  const hashes = await read(tile);
  if (hashes.length !== tile.width * HASH_BYTES)
    throw new RangeError(`tile ${tile.level}/${tile.index} has ${hashes.length} bytes, not ${tile.width * HASH_BYTES}`);
  return hashes;
}

/** The hash at this position of a tile. */
export const hashAt = (tile: Buffer, position: number): Buffer =>
  tile.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);

/** Root of the perfect tree over `count` hashes (a power of two) of a tile from `first` on. */
export function rootWithin(tile: Buffer, first: number, count: number): Buffer {
  if (count === 1) return hashAt(tile, first);
  const half = count / 2;
  return nodeHash(rootWithin(tile, first, half), rootWithin(tile, first + half, half));
}

/** How many hashes a tree of this size has at a level: those of the full tiles below. */
export const hashesAt = (size: number, level: number): number => Math.floor(size / TILE_WIDTH ** level);

/** A tile of a tree of this size, as wide as it is there; undefined where that tree has none of it. */
export function tileOf(size: number, level: number, index: number): TileAddress | undefined {
  const width = Math.min(TILE_WIDTH, hashesAt(size, level) - index * TILE_WIDTH);
  return width > 0 ? { level, index, width } : undefined;
}

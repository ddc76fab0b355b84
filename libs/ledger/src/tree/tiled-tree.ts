import { EMPTY_ROOT, nodeHash, splitOf } from './node-hash.js';
import { readTile, rootWithin, TILE_WIDTH, tileOf, type ReadTile } from './tile.js';

/** A tree of a given size, as its tiles tell it: its root and its proofs (RFC 9162 section 2.1). */
export class TiledTree {
  private readonly tiles = new Map<string, Promise<Buffer>>();

  /** @param read must give the tiles of a tree of this size, or of a larger one with the same beginning. */
  constructor(
    readonly size: number,
    private readonly read: ReadTile,
  ) {}

  /** @throws whatever `read` throws; RangeError where a tile is not as long as it is wide. */
  root(): Promise<Buffer> {
    return this.size === 0 ? Promise.resolve(EMPTY_ROOT) : this.rootOf(0, this.size);
  }

  /**
   * Hashes that lead from a leaf to the root, the leaf's sibling first (section 2.1.3.1).
   * @throws RangeError where the tree has no such leaf
   */
  async inclusionProof(index: number): Promise<readonly Buffer[]> {
    if (!(index >= 0 && index < this.size)) throw new RangeError(`no entry ${index} in a tree of ${this.size}`);
    const path: Buffer[] = [];
    let [start, end] = [0, this.size];
    while (end - start > 1) {
      const middle = start + splitOf(end - start);
      if (index < middle) {
        path.push(await this.rootOf(middle, end));
        end = middle;
      } else {
        path.push(await this.rootOf(start, middle));
        start = middle;
      }
    }
    return path.reverse();
  }

  /**
   * Hashes that show that a tree of `from` leaves is the beginning of this one (section 2.1.4.1). None where nothing is to
   * be shown: from no leaf, or from all of them.
   * @throws RangeError where the tree has no such beginning
   */
  async consistencyProof(from: number): Promise<readonly Buffer[]> {
    if (!(from >= 0 && from <= this.size)) throw new RangeError(`no tree of ${from} begins a tree of ${this.size}`);
    if (from === 0 || from === this.size) return [];
    const path: Buffer[] = [];
    let [start, end] = [0, this.size];
    while (from < end) {
      const middle = start + splitOf(end - start);
      if (from <= middle) {
        path.push(await this.rootOf(middle, end));
        end = middle;
      } else {
        path.push(await this.rootOf(start, middle));
        start = middle;
      }
    }
    // The whole beginning is one perfect tree: who verifies has its root.
    if (start > 0) path.push(await this.rootOf(start, end));
    return path.reverse();
  }

  /** Root over the leaves from `start` up to `end`. Where RFC 9162 splits, `start` is a multiple of the width's power of two. */
  private async rootOf(start: number, end: number): Promise<Buffer> {
    const width = end - start;
    const left = splitOf(width);
    if (width === 1 || width === 2 * left) return this.perfect(start, width);
    return nodeHash(await this.rootOf(start, start + left), await this.rootOf(start + left, end));
  }

  private async perfect(start: number, width: number): Promise<Buffer> {
    let [level, span] = [0, 1];
    while (span * TILE_WIDTH <= width) {
      level += 1;
      span *= TILE_WIDTH;
    }
    const first = start / span;
    const index = Math.floor(first / TILE_WIDTH);
    const tile = await this.tile(level, index);
    return rootWithin(tile, first - index * TILE_WIDTH, width / span);
  }

  private tile(level: number, index: number): Promise<Buffer> {
    const key = `${level}/${index}`;
    const known = this.tiles.get(key) ?? this.readWhole(level, index);
    this.tiles.set(key, known);
    return known;
  }

  private async readWhole(level: number, index: number): Promise<Buffer> {
    const address = tileOf(this.size, level, index);
    if (address === undefined) throw new RangeError(`a tree of ${this.size} has no tile ${level}/${index}`);
    return readTile(this.read, address);
  }
}

import { hashAt, readTile, rootWithin, TILE_WIDTH } from '../tree/tile.js';
import { LogAltered, unreadable } from './log-altered.js';
import type { LogSource } from './log-source.js';

/** The tiles that a log's entries come to, each compared with the log's own. */
export class RecomputedTiles {
  /** By level, above the leaves: the hashes of the tile that is not full yet, and how many full ones are before it. */
  private readonly growing: { index: number; hashes: Buffer[] }[] = [];

  constructor(private readonly log: LogSource) {}

  /** Takes the leaf hashes of a tile: the next one, full unless it is the last. */
  addLeaves(index: number, leafHashes: readonly Buffer[]): Promise<void> {
    return this.compare(0, index, leafHashes);
  }

  /** Compares what is left above the leaves: the tiles that did not become full. */
  async end(): Promise<void> {
    for (const [above, { index, hashes }] of this.growing.entries())
      if (hashes.length > 0) await this.compare(above + 1, index, hashes);
  }

  private async compare(level: number, index: number, hashes: readonly Buffer[]): Promise<void> {
    const span = TILE_WIDTH ** level;
    const start = index * TILE_WIDTH * span;
    const tile = await readTile(this.log.tile, { level, index, width: hashes.length }).catch((cause: unknown) => {
      throw unreadable(start, start + hashes.length * span, `there is no whole tile ${level}/${index}`, cause);
    });
    const other = hashes.findIndex((hash, position) => !hashAt(tile, position).equals(hash));
    if (other !== -1) {
      const from = start + other * span;
      throw new LogAltered(from, from + span, `tile ${level}/${index} has another hash`);
    }
    if (hashes.length === TILE_WIDTH) await this.rise(level, rootWithin(tile, 0, TILE_WIDTH));
  }

  private async rise(level: number, root: Buffer): Promise<void> {
    const above = (this.growing[level] ??= { index: 0, hashes: [] });
    above.hashes.push(root);
    if (above.hashes.length < TILE_WIDTH) return;
    this.growing[level] = { index: above.index + 1, hashes: [] };
    await this.compare(level + 1, above.index, above.hashes);
  }
}

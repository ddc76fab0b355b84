import { HASH_BYTES } from '../tree/node-hash.js';
import { growTiles } from '../tree/grow-tiles.js';
import type { ReadTile } from '../tree/tile.js';
import { NotInLog } from '../verify/log-source.js';

/** A tree whose tiles lie in memory. */
export class StoredTree {
  readonly tiles = new Map<string, Buffer>();
  size = 0;

  readonly read: ReadTile = ({ level, index, width }) => {
    const tile = this.tiles.get(`${level}/${index}`);
    if (tile === undefined) return Promise.reject(new NotInLog(`there is no tile ${level}/${index}`));
    return Promise.resolve(tile.subarray(0, width * HASH_BYTES));
  };

  async append(leafHashes: readonly Buffer[]): Promise<void> {
    for (const { level, index, hashes } of await growTiles(this.size, leafHashes, this.read))
      this.tiles.set(`${level}/${index}`, hashes);
    this.size += leafHashes.length;
  }
}

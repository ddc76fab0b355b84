import { growTiles, TILE_WIDTH, TiledTree } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';
import { LedgerForked } from './ledger-forked.js';
import { leafHashesFrom } from './read-entries.js';
import { keepTiles, tilesOf } from './tiles.table.js';

/** Entries that are taken into the tree at once: 32 full tiles. */
export const CHUNK = 32 * TILE_WIDTH;

/** Takes the next entries into the tree, {@link CHUNK} at most. The caller keeps others from it. @returns how many */
export async function growTree(manager: EntityManager, before: number, most: number): Promise<number> {
  const leafHashes = await leafHashesFrom(manager, before, Math.min(CHUNK, most));
  await keepTiles(manager, await growTiles(before, leafHashes, tilesOf(manager)));
  await manager.query('UPDATE ledger_tree SET size = $1', [before + leafHashes.length]);
  return leafHashes.length;
}

/** Takes in what is missing up to this size. @throws LedgerForked where the ledger has not as many entries */
export async function growTreeTo(manager: EntityManager, size: number): Promise<void> {
  const [tree]: { size: string }[] = await manager.query('SELECT size FROM ledger_tree');
  for (let at = Number(tree?.size); at < size;) {
    const grown = await growTree(manager, at, size - at);
    if (grown === 0) throw new LedgerForked(`the ledger's entries end before ${at}`);
    at += grown;
  }
}

/** The root of the first so many entries, which the tree has. */
export const rootAt = (manager: EntityManager, size: number): Promise<Buffer> =>
  new TiledTree(size, tilesOf(manager)).root();

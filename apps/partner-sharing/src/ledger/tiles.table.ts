import type { GrownTile, ReadTile } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';
import { LedgerForked } from './ledger-forked.js';

const HASH_BYTES = 32;

/** Gives the tiles that are stored; each as wide as it is asked for. */
export const tilesOf =
  (manager: EntityManager): ReadTile =>
  async ({ level, index, width }) => {
    const rows: { hashes: Buffer }[] = await manager.query(
      'SELECT substring(hashes FOR $3::int) AS hashes FROM ledger_tiles WHERE level = $1 AND index = $2',
      [level, index, width * HASH_BYTES],
    );
    const tile = rows[0];
    if (tile === undefined) throw new LedgerForked(`the ledger has no tile ${level}/${index}`);
    return tile.hashes;
  };

export async function keepTiles(manager: EntityManager, tiles: readonly GrownTile[]): Promise<void> {
  await manager.query(
    `INSERT INTO ledger_tiles (level, index, hashes)
     SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::bytea[])
     ON CONFLICT (level, index) DO UPDATE SET hashes = excluded.hashes`,
    [tiles.map(({ level }) => level), tiles.map(({ index }) => index), tiles.map(({ hashes }) => hashes)],
  );
}

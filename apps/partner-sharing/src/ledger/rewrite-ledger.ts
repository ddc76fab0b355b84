import { TILE_WIDTH, type Leaf } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';

const HASH_BYTES = 32;
const CHUNK = 1_000;
/** Tiles of a tree of 2^53 entries have no more levels. */
const LEVELS = 7;

/** An entry with its canonical bytes. */
export interface WrittenEntry {
  readonly leaf: Leaf;
  readonly text: string;
  readonly hash: Buffer;
}

const TRIGGERS = [
  ['ledger_entries', 'ledger_is_only_appended_to'],
  ['ledger_tiles', 'tiles_only_grow'],
  ['ledger_tiles', 'tiles_stay'],
  ['ledger_checkpoints', 'checkpoints_stay'],
] as const;

/**
 * Takes the ledger back to its first so many entries, tree and signed heads too. For a recovery alone, which puts in their place
 * what stood there first; the caller holds the ledger's head.
 */
export async function cutLedger(manager: EntityManager, size: number): Promise<void> {
  for (const [table, trigger] of TRIGGERS) await manager.query(`ALTER TABLE ${table} DISABLE TRIGGER ${trigger}`);
  await manager.query('DELETE FROM ledger_entries WHERE index >= $1', [size]);
  await manager.query('DELETE FROM ledger_checkpoints WHERE size > $1', [size]);
  for (let level = 0, hashes = size; level < LEVELS; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const index = Math.floor(hashes / TILE_WIDTH);
    const bytes = (hashes % TILE_WIDTH) * HASH_BYTES;
    await manager.query('DELETE FROM ledger_tiles WHERE level = $1 AND (index > $2 OR index = $2 AND $3 = 0)', [
      level,
      index,
      bytes,
    ]);
    await manager.query(
      'UPDATE ledger_tiles SET hashes = substring(hashes FOR $3::int) WHERE level = $1 AND index = $2 AND octet_length(hashes) > $3',
      [level, index, bytes],
    );
  }
  for (const [table, trigger] of TRIGGERS) await manager.query(`ALTER TABLE ${table} ENABLE TRIGGER ${trigger}`);
  await manager.query('UPDATE ledger_head SET size = $1', [size]);
  await manager.query('UPDATE ledger_tree SET size = least(size, $1)', [size]);
}

/** Puts entries behind the first so many, whose they are said to be already or not. The caller holds the ledger's head. */
export async function insertEntries(
  manager: EntityManager,
  size: number,
  entries: readonly WrittenEntry[],
): Promise<void> {
  for (let at = 0; at < entries.length; at += CHUNK) {
    const chunk = entries.slice(at, at + CHUNK);
    const ids = chunk.map(({ leaf }) => leaf.id);
    const indexes = chunk.map((_, position) => String(size + at + position));
    await manager.query(
      `INSERT INTO ledger_entries (index, id, kind, recipient, leaf, leaf_hash)
       SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[])`,
      [
        indexes,
        ids,
        chunk.map(({ leaf }) => leaf.kind),
        chunk.map(({ leaf }) => leaf.recipient),
        chunk.map(({ text }) => text),
        chunk.map(({ hash }) => hash),
      ],
    );
    await manager.query(
      `UPDATE share_entries s SET index = n.index FROM unnest($1::uuid[], $2::bigint[]) AS n (id, index) WHERE s.entry = n.id`,
      [ids, indexes],
    );
  }
  await manager.query('UPDATE ledger_head SET size = $1', [size + entries.length]);
}

import type { Leaf } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';
import { LedgerForked } from './ledger-forked.js';

/** The most entries that one reading gives. */
const MAX_ENTRIES_PER_READ = 1000;

export interface StoredEntry {
  readonly index: bigint;
  readonly leafHash: Buffer;
  readonly leaf: Leaf;
}

interface Row {
  readonly index: string;
  readonly leaf: string;
  readonly leaf_hash: Buffer;
}

const entryOf = (row: Row): StoredEntry => ({
  index: BigInt(row.index),
  leafHash: row.leaf_hash,
  leaf: JSON.parse(row.leaf) as Leaf,
});

/** Entries from index `from` on, {@link MAX_ENTRIES_PER_READ} at most, optionally of one recipient. */
export async function entriesFrom(
  manager: EntityManager,
  options: { readonly from: bigint; readonly limit: number; readonly recipient?: string | undefined },
): Promise<readonly StoredEntry[]> {
  const rows: Row[] = await manager.query(
    `SELECT index, leaf, leaf_hash FROM ledger_entries
     WHERE index >= $1 AND ($2::text IS NULL OR recipient = $2) ORDER BY index LIMIT $3`,
    [options.from.toString(), options.recipient ?? null, Math.min(options.limit, MAX_ENTRIES_PER_READ)],
  );
  return rows.map(entryOf);
}

/**
 * Leaf hashes from this index on, of which the ledger's head says that there are some.
 * @throws where an index is missing: what follows it would get its place
 */
export async function leafHashesFrom(manager: EntityManager, from: number, limit: number): Promise<readonly Buffer[]> {
  const rows: Pick<Row, 'index' | 'leaf_hash'>[] = await manager.query(
    'SELECT index, leaf_hash FROM ledger_entries WHERE index >= $1 ORDER BY index LIMIT $2',
    [from, limit],
  );
  return rows.map(({ index, leaf_hash }, position) => {
    if (Number(index) !== from + position) throw new LedgerForked(`the ledger has no entry ${from + position}`);
    return leaf_hash;
  });
}

/** The very bytes that were hashed, from this index on. */
export async function leavesFrom(manager: EntityManager, from: number, limit: number): Promise<readonly Buffer[]> {
  const rows: Pick<Row, 'leaf'>[] = await manager.query(
    'SELECT leaf FROM ledger_entries WHERE index >= $1 ORDER BY index LIMIT $2',
    [from, limit],
  );
  return rows.map(({ leaf }) => Buffer.from(leaf, 'utf8'));
}

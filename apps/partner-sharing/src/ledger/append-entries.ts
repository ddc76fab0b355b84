import type { ComposedEntry } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';
import { UNLESS_SILENT } from '../database/unless-silent.js';

/** Where an entry stands: its serial index (64 bits, from 0 on, without gaps) and its RFC 9162 leaf hash (32 bytes). */
export interface AppendedEntry {
  readonly id: string;
  readonly index: bigint;
  readonly leafHash: Buffer;
}

/**
 * The ledger head's advisory lock, of the kind with two 32-bit keys: those of outbox keys and epochs have one of 64
 * bits, a space of its own. It is the last in the order of locks: agreement, customer, share, ledger head.
 */
const HEAD_LOCK = [0x4c454447 /* LEDG */, 0] as const;

/** A statement of its own: the next one must see what the former holder of the lock committed. */
export async function lockHead(manager: EntityManager): Promise<void> {
  await manager.query(`SELECT ${UNLESS_SILENT}, pg_advisory_xact_lock($1, $2)`, [...HEAD_LOCK]);
}

/**
 * Appends entries in the order given, in the caller's transaction (READ COMMITTED), under the ledger-head lock; the
 * indexes come back in that order. Call it once and late in a transaction: all other appends wait for its end, and an
 * index is final only with the commit.
 * @throws where an entry's id stands in the ledger already, or no transaction is open: bugs of the caller.
 */
export async function appendEntries(
  manager: EntityManager,
  entries: readonly ComposedEntry[],
): Promise<readonly AppendedEntry[]> {
  if (entries.length === 0) return [];
  if (manager.queryRunner?.isTransactionActive !== true) throw new Error('the ledger is appended to in a transaction');
  await lockHead(manager);
  const [rows]: [{ first: string }[], number] = await manager.query(
    'UPDATE ledger_head SET size = size + $1 RETURNING size - $1 AS first',
    [entries.length],
  );
  const first = rows[0]?.first;
  if (rows.length !== 1 || first === undefined) throw new Error('the ledger has no head');
  const appended = entries.map((entry, position) => ({
    id: entry.leaf.id,
    index: BigInt(first) + BigInt(position),
    leafHash: entry.leafHash,
  }));
  await manager.query(
    `INSERT INTO ledger_entries (index, id, kind, recipient, leaf, leaf_hash)
     SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[])`,
    [
      appended.map(({ index }) => index.toString()),
      appended.map(({ id }) => id),
      entries.map(({ leaf }) => leaf.kind),
      entries.map(({ leaf }) => leaf.recipient),
      entries.map(({ bytes }) => bytes.toString('utf8')),
      appended.map(({ leafHash }) => leafHash),
    ],
  );
  return appended;
}

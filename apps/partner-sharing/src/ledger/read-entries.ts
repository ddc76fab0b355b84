import type { Leaf } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';

export interface StoredEntry {
  readonly index: bigint;
  readonly leafHash: Buffer;
  readonly leaf: Leaf;
}

/** Entries by id, in the order of the ledger; ids that are not in it are left out. */
export async function entriesById(manager: EntityManager, ids: readonly string[]): Promise<readonly StoredEntry[]> {
  void manager;
  void ids;
  return Promise.reject(new Error('not written yet'));
}

/** Entries from index `from` on, at most `limit` (1,000 at most), optionally of one recipient. */
export async function entriesFrom(
  manager: EntityManager,
  options: { readonly from: bigint; readonly limit: number; readonly recipient?: string },
): Promise<readonly StoredEntry[]> {
  void manager;
  void options;
  return Promise.reject(new Error('not written yet'));
}

/** How many entries the ledger holds: the index of the next one. */
export async function ledgerSize(manager: EntityManager): Promise<bigint> {
  void manager;
  return Promise.reject(new Error('not written yet'));
}

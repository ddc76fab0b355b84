import type { ComposedEntry } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';

/** Where an entry stands: its serial index (64 bits, from 0 on, without gaps) and its RFC 9162 leaf hash (32 bytes). */
export interface AppendedEntry {
  readonly id: string;
  readonly index: bigint;
  readonly leafHash: Buffer;
}

/**
 * Appends entries in the order given, in the caller's transaction (READ COMMITTED), under the ledger-head lock.
 * Take the locks of agreement, customer and share before. Indexes come back in the order of the drafts.
 * @throws where an entry's id stands in the ledger already, or no transaction is open.
 */
export async function appendEntries(
  manager: EntityManager,
  drafts: readonly ComposedEntry[],
): Promise<readonly AppendedEntry[]> {
  void manager;
  void drafts;
  return Promise.reject(new Error('not written yet'));
}

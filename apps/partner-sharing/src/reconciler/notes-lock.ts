import type { EntityManager } from 'typeorm';
import { UNLESS_SILENT } from '../database/unless-silent.js';

/** Of the kind with two 32-bit keys, as the ledger head's. Whoever holds it takes no other but rows of the notes, and a place in line for shares. */
const NOTES_LOCK = [0x4e4f_5445 /* NOTE */, 0] as const;

/**
 * Whoever notes records takes it shared, and whoever compares entries with the notes exclusively, until the commit: so that
 * of an entry and its record, and of a record and what says that it was aborted, the later one always sees the other.
 */
export async function lockNotes(manager: EntityManager, mode: 'shared' | 'exclusive'): Promise<void> {
  const lock = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  // A statement of its own: the next one must see what the holders of the lock committed.
  await manager.query(`SELECT ${UNLESS_SILENT}, ${lock}($1, $2)`, [...NOTES_LOCK]);
}

import { disclosureRecorded } from '@castiron/contracts';
import type { Transactions } from '@castiron/transactions';
import { entriesFrom, leavesFrom } from '../ledger/read-entries.js';
import { orderOfDisclosures } from '../publications.js';
import { announced } from './announced.table.js';

/** Below the most outbox keys of a transaction, for each entry may be of another recipient. */
const CHUNK = 200;

/**
 * Announces ledger entries, in the ledger's order. One announcer beside the releases: keyed by recipient, the events
 * would make all lanes of a recipient wait for each other inside their releases.
 * @returns whether more are waiting
 */
export function announceDisclosures(transactions: Transactions): Promise<boolean> {
  return transactions.run([], async (tx) => {
    const cursor: { next_index: string }[] = await tx.manager.query(
      'SELECT next_index FROM disclosure_cursor FOR UPDATE SKIP LOCKED',
    );
    const from = cursor[0]?.next_index;
    // Another process is announcing.
    if (from === undefined) return false;
    const entries = await entriesFrom(tx.manager, { from: BigInt(from), limit: CHUNK });
    const last = entries.at(-1);
    if (last === undefined) return false;
    tx.claim([...new Set(entries.map(({ leaf }) => orderOfDisclosures(leaf.recipient)))]);
    const leaves = await leavesFrom(tx.manager, Number(from), entries.length);
    for (const [position, { index, leaf, leafHash }] of entries.entries()) {
      tx.publish(disclosureRecorded, {
        entry: leaf.id,
        index: index.toString(),
        kind: leaf.kind,
        recipient: leaf.recipient,
        leafHash: leafHash.toString('base64url'),
        leaf: leaves[position]?.toString('utf8') ?? '',
        at: leaf.at,
      });
    }
    await tx.manager.query('UPDATE disclosure_cursor SET next_index = $1', [(last.index + 1n).toString()]);
    await announced(tx.manager, last.index + 1n);
    return entries.length === CHUNK;
  });
}

import { checkpointSigned } from '@castiron/contracts';
import { isConsistent, signCheckpoint, TiledTree, type NoteSigner } from '@castiron/ledger';
import type { Transactions } from '@castiron/transactions';
import type { DataSource, EntityManager } from 'typeorm';
import { openIncident } from '../incidents/incident.table.js';
import { keepSigned, lastSigned } from '../ledger/checkpoint.table.js';
import { CHUNK, growTree } from '../ledger/grow-tree.js';
import { LedgerForked } from '../ledger/ledger-forked.js';
import { tilesOf } from '../ledger/tiles.table.js';
import { orderOfCheckpoints } from '../publications.js';

/** Where the tree stands, if the ledger has more. The tree without entries is signed too. */
const BEHIND = `SELECT tree.size, head.size AS entries FROM ledger_tree AS tree, ledger_head AS head
  WHERE tree.size < head.size OR NOT EXISTS (SELECT FROM ledger_checkpoints)`;

/** How many entries may be signed: gives the size that a tree may have at most. */
export type MostEntries = (manager: EntityManager) => Promise<number>;

/**
 * Takes what the ledger has more into its tree, and signs and publishes the new head (G3). A head that does not go on from
 * the one signed before is never signed.
 * @param most by default all
 * @returns whether more entries are waiting
 * @throws LedgerForked
 */
export function signNextCheckpoint(
  transactions: Transactions,
  signer: NoteSigner,
  most: MostEntries = () => Promise.resolve(Infinity),
): Promise<boolean> {
  // One at a time: the key of what is published keeps other processes out.
  return transactions.run([orderOfCheckpoints(signer.name)], async (tx) => {
    const { manager } = tx;
    const [behind]: { size: string; entries: string }[] = await manager.query(BEHIND);
    if (behind === undefined) return false;
    const before = Number(behind.size);
    const room = (await most(manager)) - before;
    // The tree without entries is signed all the same.
    if (room <= 0 && (await lastSigned(manager)) !== undefined) return false;
    const grown = await growTree(manager, before, Math.max(room, 0));
    if (grown === 0 && room > 0 && Number(behind.entries) > before)
      throw new LedgerForked(`the ledger's entries end before ${before}`);
    const size = before + grown;
    const head = { size, root: await rootAfterLastSigned(manager, size) };
    const note = signCheckpoint(head, signer);
    await keepSigned(manager, { ...head, note });
    tx.publish(checkpointSigned, {
      origin: signer.name,
      size: String(size),
      root: head.root.toString('base64'),
      checkpoint: note,
    });
    return grown === CHUNK;
  });
}

/** The same; a ledger that was changed is an incident (P10), until somebody has said what came of it. */
export async function signCheckpointOrReport(
  dataSource: DataSource,
  transactions: Transactions,
  signer: NoteSigner,
  most?: MostEntries,
): Promise<boolean> {
  try {
    return await signNextCheckpoint(transactions, signer, most);
  } catch (error) {
    if (error instanceof LedgerForked)
      await openIncident(dataSource.manager, { kind: 'ledger-forked', cause: error.message });
    throw error;
  }
}

async function rootAfterLastSigned(manager: EntityManager, size: number): Promise<Buffer> {
  const tree = new TiledTree(size, tilesOf(manager));
  const root = await tree.root();
  const signed = await lastSigned(manager);
  if (signed === undefined) return root;
  if (signed.size > size) throw new LedgerForked(`${signed.size} entries were signed, and the tree has ${size}`);
  if (!isConsistent(await tree.consistencyProof(signed.size), signed, { size, root }))
    throw new LedgerForked(`the first ${signed.size} entries of the tree are not those that were signed`);
  return root;
}

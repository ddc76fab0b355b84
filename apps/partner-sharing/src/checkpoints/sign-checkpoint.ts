import { checkpointSigned } from '@castiron/contracts';
import { growTiles, isConsistent, signCheckpoint, TiledTree, TILE_WIDTH, type NoteSigner } from '@castiron/ledger';
import type { Transactions } from '@castiron/transactions';
import type { DataSource, EntityManager } from 'typeorm';
import { openIncident } from '../incidents/incident.table.js';
import { keepSigned, lastSigned } from '../ledger/checkpoint.table.js';
import { LedgerForked } from '../ledger/ledger-forked.js';
import { leafHashesFrom } from '../ledger/read-entries.js';
import { keepTiles, tilesOf } from '../ledger/tiles.table.js';
import { orderOfCheckpoints } from '../publications.js';

/** Entries that one transaction takes into the tree: 32 full tiles. */
const CHUNK = 32 * TILE_WIDTH;

/** Where the tree stands, if the ledger has more. The tree without entries is signed too. */
const BEHIND = `SELECT tree.size, head.size AS entries FROM ledger_tree AS tree, ledger_head AS head
  WHERE tree.size < head.size OR NOT EXISTS (SELECT FROM ledger_checkpoints)`;

/**
 * Takes what the ledger has more into its tree, and signs and publishes the new head (G3). A head that does not go on from
 * the one signed before is never signed.
 * @returns whether more entries are waiting
 * @throws LedgerForked
 */
export function signNextCheckpoint(transactions: Transactions, signer: NoteSigner): Promise<boolean> {
  // One at a time: the key of what is published keeps other processes out.
  return transactions.run([orderOfCheckpoints(signer.name)], async (tx) => {
    const { manager } = tx;
    const [behind]: { size: string; entries: string }[] = await manager.query(BEHIND);
    if (behind === undefined) return false;
    const before = Number(behind.size);
    const leafHashes = await leafHashesFrom(manager, before, CHUNK);
    if (leafHashes.length === 0 && Number(behind.entries) > before)
      throw new LedgerForked(`the ledger's entries end before ${before}`);
    await keepTiles(manager, await growTiles(before, leafHashes, tilesOf(manager)));
    const size = before + leafHashes.length;
    await manager.query('UPDATE ledger_tree SET size = $1', [size]);
    const head = { size, root: await rootAfterLastSigned(manager, size) };
    const note = signCheckpoint(head, signer);
    await keepSigned(manager, { ...head, note });
    tx.publish(checkpointSigned, {
      origin: signer.name,
      size: String(size),
      root: head.root.toString('base64'),
      checkpoint: note,
    });
    return leafHashes.length === CHUNK;
  });
}

/** The same; a ledger that was changed is an incident (P10), until somebody has said what came of it. */
export async function signCheckpointOrReport(
  dataSource: DataSource,
  transactions: Transactions,
  signer: NoteSigner,
): Promise<boolean> {
  try {
    return await signNextCheckpoint(transactions, signer);
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

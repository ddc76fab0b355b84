import { decodeMessage, disclosureRecorded, sharingCheckpoints, sharingDisclosures, type DataOf } from '@castiron/contracts';
import { leafHash, type Leaf, type NoteSigner } from '@castiron/ledger';
import type { OwnRecord } from '@castiron/outbox';
import type { RecoveryLog } from '@castiron/service';
import type { DataSource, EntityManager } from 'typeorm';
import { openIncident } from '../incidents/incident.table.js';
import { announced } from '../ledger-announcements/announced.table.js';
import { lockHead } from '../ledger/append-entries.js';
import { keepSigned, lastSigned, type SignedHead } from '../ledger/checkpoint.table.js';
import { growTreeTo, rootAt } from '../ledger/grow-tree.js';
import { LedgerForked } from '../ledger/ledger-forked.js';
import { cutLedger, insertEntries, type WrittenEntry } from '../ledger/rewrite-ledger.js';
import { headOf } from './published-heads.js';

/** An entry that was announced, as it was hashed. */
interface LostEntry extends WrittenEntry {
  readonly index: number;
}

/** What the ledger is to become: what it keeps, what it lost, and what it appended in place of that. */
interface Completion {
  /** Entries that stay where they are. */
  readonly kept: number;
  readonly lost: readonly LostEntry[];
  /** Appended since the restore, at places that were taken. They go behind what was lost. */
  readonly displaced: readonly WrittenEntry[];
}

/** What became of the ledger: the entries that it lost, by id. */
export interface CompletedLedger {
  readonly entries: ReadonlyMap<string, LostEntry>;
  /** From this index on stand those that were displaced. */
  readonly size: number;
}

/**
 * Completes a restored ledger by the entries that were announced, to the very tree whose heads were published, so that it goes
 * on from there and is not forked. What was appended since the restore is appended once more, behind them.
 * @throws LedgerForked where an entry is on no topic, or what is there does not come to what was signed: nothing may be signed
 */
export async function completeLedger(
  dataSource: DataSource,
  records: ReadonlyMap<string, readonly OwnRecord[]>,
  signer: NoteSigner,
  log: RecoveryLog,
): Promise<CompletedLedger> {
  log.phase('ledger');
  const told = lostEntries(records.get(sharingDisclosures.name) ?? []);
  return dataSource.transaction(async (manager) => {
    await lockHead(manager);
    const { kept, lost, displaced } = await planCompletion(manager, told);
    const entries = new Map([...told.values()].map((entry) => [entry.leaf.id, entry]));
    const size = kept + lost.length;
    log.count('entries put back into the ledger', lost.length);
    log.count('entries of the ledger appended again', displaced.length);
    if (log.dryRun) return { entries, size };
    if (lost.length > 0) {
      await cutLedger(manager, kept);
      await insertEntries(manager, kept, lost);
      await insertEntries(manager, size, displaced);
      await manager.query('UPDATE disclosure_cursor SET next_index = $1', [size]);
      await manager.query('DELETE FROM disclosures_announced');
      await announced(manager, BigInt(size));
    }
    await growTreeTo(manager, size);
    await keepPublishedHeads(manager, records.get(sharingCheckpoints.name) ?? [], signer, log);
    return { entries, size };
  });
}

/** By index, those of the life that was lost first: what a later one put in the same place is announced there too. */
function lostEntries(records: readonly OwnRecord[]): ReadonlyMap<number, LostEntry> {
  const entries = new Map<number, LostEntry>();
  for (const record of records) {
    const decoded = record.isKnown ? undefined : decodeMessage(record, [disclosureRecorded]);
    if (decoded?.ok !== true || decoded.event.data === null) continue;
    const { index, leaf: text, leafHash: hash } = decoded.event.data as DataOf<typeof disclosureRecorded>;
    const at = Number(index);
    if (entries.has(at)) continue;
    if (text === undefined || leafHash(Buffer.from(text)).toString('base64url') !== hash)
      throw new LedgerForked(`entry ${at} was announced without itself, or with another: it is on no topic`);
    entries.set(at, { index: at, text, leaf: JSON.parse(text) as Leaf, hash: Buffer.from(hash, 'base64url') });
  }
  return entries;
}

async function planCompletion(manager: EntityManager, told: ReadonlyMap<number, LostEntry>): Promise<Completion> {
  const [head]: { size: string }[] = await manager.query('SELECT size FROM ledger_head');
  const size = Number(head?.size);
  const indexes = [...told.keys()].sort((a, b) => a - b);
  const [first = size, last = size - 1] = [indexes[0], indexes.at(-1)];
  const own: { index: string; leaf: string; leaf_hash: Buffer }[] = await manager.query(
    'SELECT index, leaf, leaf_hash FROM ledger_entries WHERE index >= $1 ORDER BY index',
    [first],
  );
  const forked = own.find(({ index, leaf_hash }) => told.get(Number(index))?.hash.equals(leaf_hash) !== true);
  const kept = Math.min(forked === undefined ? size : Number(forked.index), size);
  // All of what was lost stands where it stood, or this is another tree.
  const lost = Array.from({ length: Math.max(last + 1 - kept, 0) }, (_, n) => {
    const entry = told.get(kept + n);
    if (entry === undefined) throw new LedgerForked(`entry ${kept + n} of the ledger is on no topic`);
    return entry;
  });
  const ids = new Set(lost.map(({ leaf }) => leaf.id));
  const displaced =
    lost.length === 0
      ? []
      : own
          .filter(({ index }) => Number(index) >= kept)
          .map(({ leaf: text, leaf_hash: hash }) => ({ text, hash, leaf: JSON.parse(text) as Leaf }))
          .filter(({ leaf }) => !ids.has(leaf.id));
  return { kept, lost, displaced };
}

/** What others remember is remembered here; a head of another tree was signed by a life that should not have been. */
async function keepPublishedHeads(
  manager: EntityManager,
  records: readonly OwnRecord[],
  signer: NoteSigner,
  log: RecoveryLog,
): Promise<void> {
  const [tree]: { size: string }[] = await manager.query('SELECT size FROM ledger_tree');
  const heads = new Map<string, SignedHead>();
  for (const record of records) {
    const head = headOf(record, signer);
    if (head !== undefined) heads.set(`${head.size}/${head.root.toString('hex')}`, head);
  }
  for (const head of [...heads.values()].sort((a, b) => a.size - b.size)) {
    if (head.size > Number(tree?.size))
      throw new LedgerForked(`${head.size} entries were signed, and ${Number(tree?.size)} are there or on topics`);
    if (!(await rootAt(manager, head.size)).equals(head.root)) {
      const cause = `a head of ${head.size} entries was published that is not of this ledger (${head.root.toString('base64')})`;
      log.note(`Before this recovery ${cause}.`);
      await openIncident(manager, { kind: 'ledger-forked', cause });
    } else if (((await lastSigned(manager))?.size ?? -1) < head.size) await keepSigned(manager, head);
  }
}

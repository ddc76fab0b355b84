import {
  decodeMessage,
  disclosureRecorded,
  sharingCheckpoints,
  sharingDisclosures,
  type DataOf,
} from '@castiron/contracts';
import { leafHash, type Leaf, type NoteSigner } from '@castiron/ledger';
import type { OwnRecord } from '@castiron/outbox';
import type { RecoveryLog } from '@castiron/service';
import type { DataSource, EntityManager } from 'typeorm';
import { openIncident } from '../incidents/incident.table.js';
import { announced } from '../ledger-announcements/announced.table.js';
import { lockHead } from '../ledger/append-entries.js';
import { disown, keepSigned, lastSigned, type SignedHead } from '../ledger/checkpoint.table.js';
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
  /** Up to here all is as it was announced. */
  readonly told: number;
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
  const { told, others } = lostEntries(records.get(sharingDisclosures.name) ?? []);
  return dataSource.transaction(async (manager) => {
    await lockHead(manager);
    const { kept, lost, displaced, ...plan } = await planCompletion(manager, told, others);
    const entries = new Map([...told.values()].map((entry) => [entry.leaf.id, entry]));
    log.count('entries put back into the ledger', lost.length);
    log.count('entries of the ledger appended again', displaced.length);
    const completed = { entries, size: plan.told };
    if (log.dryRun) return completed;
    if (lost.length > 0) {
      await cutLedger(manager, kept);
      await insertEntries(manager, kept, lost);
      await manager.query('UPDATE disclosure_cursor SET next_index = $1', [plan.told]);
      await manager.query('DELETE FROM disclosures_announced');
      await announced(manager, BigInt(plan.told));
    }
    await insertEntries(manager, kept + lost.length, displaced);
    await growTreeTo(manager, kept + lost.length);
    await keepPublishedHeads(manager, records.get(sharingCheckpoints.name) ?? [], signer, log);
    return completed;
  });
}

interface LostEntries {
  /** By index, those of the life that was lost first. */
  readonly told: ReadonlyMap<number, LostEntry>;
  /** What a later one put in the same places, and was lost as well. */
  readonly others: readonly LostEntry[];
}

function lostEntries(records: readonly OwnRecord[]): LostEntries {
  const told = new Map<number, LostEntry>();
  const others = new Map<string, LostEntry>();
  // By the broker's clock: what has the same place may stand on another partition.
  for (const record of records.toSorted((a, b) => a.timestamp.getTime() - b.timestamp.getTime())) {
    const decoded = record.isKnown ? undefined : decodeMessage(record, [disclosureRecorded]);
    if (decoded?.ok !== true || decoded.event.data === null) continue;
    const { index, leaf: text, leafHash: hash } = decoded.event.data as DataOf<typeof disclosureRecorded>;
    const at = Number(index);
    if (text === undefined || leafHash(Buffer.from(text)).toString('base64url') !== hash)
      throw new LedgerForked(`entry ${at} was announced without itself, or with another: it is on no topic`);
    const entry = { index: at, text, leaf: JSON.parse(text) as Leaf, hash: Buffer.from(hash, 'base64url') };
    const first = told.get(at);
    if (first === undefined) told.set(at, entry);
    else if (!first.hash.equals(entry.hash)) others.set(entry.leaf.id, entry);
  }
  return { told, others: [...others.values()] };
}

async function planCompletion(
  manager: EntityManager,
  told: ReadonlyMap<number, LostEntry>,
  others: readonly LostEntry[],
): Promise<Completion> {
  const [head]: { size: string }[] = await manager.query('SELECT size FROM ledger_head');
  const size = Number(head?.size);
  const indexes = [...told.keys()].sort((a, b) => a - b);
  const [first = size, last = size - 1] = [indexes[0], indexes.at(-1)];
  const own: { index: string; leaf: string; leaf_hash: Buffer }[] = await manager.query(
    'SELECT index, leaf, leaf_hash FROM ledger_entries WHERE index >= $1 ORDER BY index',
    [first],
  );
  const forked = own.find(({ index, leaf_hash }) => told.get(Number(index))?.hash.equals(leaf_hash) !== true);
  const cut = forked === undefined ? size : Number(forked.index);
  // All of what was lost stands where it stood, or this is another tree.
  const lost = Array.from({ length: Math.max(last + 1 - cut, 0) }, (_, n) => {
    const entry = told.get(cut + n);
    if (entry === undefined) throw new LedgerForked(`entry ${cut + n} of the ledger is on no topic`);
    return entry;
  });
  // Where nothing is lost, or nothing is any more, all that is here stays.
  const kept = lost.length > 0 ? cut : size;
  const behind = own
    .filter(({ index }) => Number(index) >= kept)
    .map(({ leaf: text, leaf_hash: hash }) => ({ text, hash, leaf: JSON.parse(text) as Leaf }));
  const displaced = new Map([...behind, ...others].map((entry) => [entry.leaf.id, entry]));
  const stay: { id: string }[] = await manager.query(
    'SELECT id FROM ledger_entries WHERE index < $1 AND id = ANY($2::uuid[])',
    [kept, [...displaced.keys()]],
  );
  for (const id of [...lost.map(({ leaf }) => leaf.id), ...stay.map((entry) => entry.id)]) displaced.delete(id);
  return { kept, told: told.size > 0 ? last + 1 : size, lost, displaced: [...displaced.values()] };
}

/** What others remember is remembered here; a head of another tree was signed by a life that should not have been. */
async function keepPublishedHeads(
  manager: EntityManager,
  records: readonly OwnRecord[],
  signer: NoteSigner,
  log: RecoveryLog,
): Promise<void> {
  const [tree]: { size: string }[] = await manager.query('SELECT size FROM ledger_tree');
  const heads = new Map<string, SignedHead & { readonly isLost: boolean }>();
  for (const record of records) {
    const head = headOf(record, signer);
    if (head !== undefined)
      heads.set(`${head.size}/${head.root.toString('hex')}`, { ...head, isLost: !record.isKnown });
  }
  for (const head of [...heads.values()].sort((a, b) => a.size - b.size)) {
    if (head.isLost && head.size > Number(tree?.size))
      throw new LedgerForked(`${head.size} entries were signed, and ${Number(tree?.size)} are there or on topics`);
    if (head.size > Number(tree?.size) || !(await rootAt(manager, head.size)).equals(head.root)) {
      const cause = `a head of ${head.size} entries was published that is not of this ledger (${head.root.toString('base64')})`;
      log.note(`Before this recovery ${cause}.`);
      await disown(manager, head);
      await openIncident(manager, { kind: 'ledger-forked', cause });
    } else if (((await lastSigned(manager))?.size ?? -1) < head.size) await keepSigned(manager, head);
  }
}

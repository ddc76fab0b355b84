import { newEventId } from '@castiron/contracts';
import type { Transactions, Tx } from '@castiron/transactions';
import type { ComposedEntry } from '@castiron/ledger';
import type { EntityManager } from 'typeorm';
import { lockEpochsShared } from '../epochs/epoch-locks.js';
import { appendEntries } from '../ledger/append-entries.js';
import { composeWithheld, type PreparedRecord } from './compose-record.js';
import type { DecidedOn } from './decided-on.js';
import { ownership, STILL_OWNED, type Lane } from './lane-leases.js';
import { loadShares, loadStandings, type Standing } from './load-shares.js';
import { outcomeOf } from './outcome.js';
import { allowedNow, stillAllowed } from './plan-release.decision.js';
import { keepShareEntries } from './share-entry.table.js';

/** The lane is not (or no longer) ours: nothing was released. */
export class LaneLost extends Error {
  override readonly name = 'LaneLost';
}

export interface ReleasedBatch {
  readonly batch: string;
  readonly records: readonly { readonly prepared: PreparedRecord; readonly index: bigint }[];
}

/**
 * The one short transaction between deciding and sending: under shared locks on the epochs, what changed since it was
 * prepared goes back to pending, the rest gets its entries and is marked `sending` with the lane's token.
 */
export function releaseBatch(
  transactions: Transactions,
  lane: Lane,
  prepared: readonly PreparedRecord[],
): Promise<ReleasedBatch> {
  return transactions.run([], (tx) => release(tx, lane, prepared));
}

async function release({ manager }: Tx, lane: Lane, prepared: readonly PreparedRecord[]): Promise<ReleasedBatch> {
  await lockEpochsShared(manager, {
    agreement: prepared.flatMap(({ share }) => share.agreement ?? []),
    customer: prepared.map(({ share }) => share.customer),
    share: prepared.map(({ share }) => share.id),
  });
  const now = await stillOwned(manager, lane);
  const { kept, withheld } = await secondLook(manager, prepared, now);
  const appended = await appendEntries(manager, [
    ...kept.map(({ entry }) => entry),
    ...withheld.map(({ entry }) => entry),
  ]);
  const indexOf = (position: number): bigint => appended[position]?.index ?? 0n;
  const batch = newEventId();
  const records = kept.map((record, position) => ({ prepared: record, index: indexOf(position) }));
  await keepShareEntries(manager, [
    ...records.map(({ prepared: { share, entry }, index }) => ({
      share: share.id,
      leaf: entry.leaf,
      index,
      decidedOn: share.decidedOn,
    })),
    ...withheld.map(({ share, entry, decidedOn }, position) => ({
      share,
      leaf: entry.leaf,
      index: indexOf(kept.length + position),
      decidedOn,
    })),
  ]);
  await markSending(manager, lane, batch, records);
  return { batch, records };
}

/** What is no longer allowed, and what that was decided on. */
interface Withheld {
  readonly share: string;
  readonly entry: ComposedEntry;
  readonly decidedOn: DecidedOn | null;
}

/**
 * Where nothing changed since, what a decision rests on is what it was, but for the time. What changed goes back to pending,
 * for its pending rows stay; what is no longer allowed gets an entry too.
 */
async function secondLook(
  manager: EntityManager,
  prepared: readonly PreparedRecord[],
  now: Date,
): Promise<{ kept: PreparedRecord[]; withheld: Withheld[] }> {
  const standings = await loadStandings(
    manager,
    prepared.map(({ share }) => share.id),
  );
  const changed = prepared.filter(({ share }) => !unchanged(share, standings.get(share.id)));
  const current = await loadShares(
    manager,
    changed.map(({ share }) => share.id),
  );
  const isChanged = new Set(changed);
  const kept: PreparedRecord[] = [];
  const withheld: Withheld[] = [];
  for (const record of prepared) {
    const share = isChanged.has(record) ? current.get(record.share.id) : record.share;
    const allowed = share === undefined ? {} : allowedNow(share, now);
    const isAllowed = stillAllowed(record.plan.attributes, allowed);
    if (isAllowed && !isChanged.has(record)) kept.push(record);
    if (!isAllowed)
      withheld.push({
        share: record.share.id,
        entry: composeWithheld(record, now),
        decidedOn: share?.decidedOn ?? null,
      });
  }
  return { kept, withheld };
}

/**
 * The database's clock, if the lane is still ours; holds off a takeover until this transaction ends, and not the renewal of the
 * lease: whoever takes over locks the whole row, whoever renews changes no key of it.
 */
async function stillOwned(manager: EntityManager, lane: Lane): Promise<Date> {
  const rows: { now: Date }[] = await manager.query(`${STILL_OWNED} FOR KEY SHARE`, ownership(lane));
  const owned = rows[0];
  if (owned === undefined) throw new LaneLost(`lane ${lane.lane} has another owner`);
  return owned.now;
}

function unchanged(before: Standing, now: Standing | undefined): boolean {
  return (
    now !== undefined &&
    before.epochs.agreement === now.epochs.agreement &&
    before.epochs.customer === now.epochs.customer &&
    before.epochs.share === now.epochs.share &&
    before.agreement === now.agreement &&
    before.customerVersion === now.customerVersion &&
    before.version === now.version
  );
}

async function markSending(
  manager: EntityManager,
  { lane, token }: Lane,
  batch: string,
  records: ReleasedBatch['records'],
): Promise<void> {
  if (records.length === 0) return;
  const shares = records.map(({ prepared }) => prepared.share);
  await manager.query(
    `INSERT INTO sending_records
       (lane, token, batch, share, entry, customer, agreement, agreement_epoch, customer_epoch, share_epoch, outcome)
     SELECT $1, $2, $3, * FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::uuid[], $8::bigint[], $9::bigint[], $10::bigint[], $11::jsonb[])`,
    [
      lane,
      token.toString(),
      batch,
      shares.map(({ id }) => id),
      records.map(({ prepared }) => prepared.entry.leaf.id),
      shares.map(({ customer }) => customer),
      shares.map(({ agreement }) => agreement),
      shares.map(({ epochs }) => epochs.agreement),
      shares.map(({ epochs }) => epochs.customer),
      shares.map(({ epochs }) => epochs.share),
      records.map(({ prepared, index }) => JSON.stringify(outcomeOf(prepared, index))),
    ],
  );
  await manager.query('DELETE FROM pending_releases WHERE id = ANY($1::bigint[])', [
    records.flatMap(({ prepared }) => prepared.pending),
  ]);
}

import { randomUUID } from 'node:crypto';
import type { Kafka } from '@castiron/kafka';
import type { RecoveryLog } from '@castiron/service';
import type { Transactions, Tx } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { allRecipients } from '../recipients/recipient.table.js';
import type { SendingRow } from '../release/outcome.js';
import type { ReleaseSignals } from '../release/release-signals.js';
import { settleAborted } from '../release/settle-aborted.js';
import { settleSent } from '../release/settle-batch.js';
import { keepShareEntries } from '../release/share-entry.table.js';
import { laneOf } from '../shares/feed-lanes.js';
import { lockShares } from '../shares/lock-shares.js';
import { makePending } from '../shares/make-shares.js';
import type { Holding, ShareState } from '../shares/share.js';
import type { CompletedLedger } from './complete-ledger.js';
import { readFeed, type OnFeed } from './feed-state.js';

const CHUNK = 500;

interface Parts {
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly kafka: Kafka;
  readonly signals: ReleaseSignals;
}

interface KnownShare {
  readonly id: string;
  readonly subject: string;
  readonly version: number;
  readonly state: ShareState;
  readonly holds: readonly Holding[];
  readonly entry: string | null;
  /** It was released since the restore, at an index that was taken. */
  readonly isDisplaced: boolean;
}

/**
 * Brings each share to what stands on its feed: versions never fall, and what stands there is published anew as it is allowed
 * now, so that nothing of the lost time stays. Of a subject that nobody knows here, all is withdrawn.
 */
export async function raiseShares(parts: Parts, ledger: CompletedLedger, log: RecoveryLog): Promise<void> {
  const { dataSource, kafka } = parts;
  const sending: SendingRow[] = await dataSource.query(
    'SELECT share, lane, token, batch, entry, agreement, outcome, true AS "isOld" FROM sending_records ORDER BY share',
  );
  for (const { slug, provisioned } of await allRecipients(dataSource.manager)) {
    if (!provisioned) continue;
    log.phase(`the feed of ${slug}`);
    const seen = new Set<string>();
    const wanted = new Set(sending.map(({ outcome }) => outcome.recordId));
    const feed = await readFeed(kafka, slug, (record) => wanted.has(record) && seen.add(record));
    await settle(
      parts,
      sending.filter(({ outcome }) => outcome.recipient === slug),
      seen,
      log,
    );
    const floor = highestVersion(ledger, slug);
    const subjects = [...feed.values()];
    for (let at = 0; at < subjects.length; at += CHUNK) {
      const chunk = subjects.slice(at, at + CHUNK);
      await parts.transactions.run([], (tx) => raise(tx, slug, chunk, { ledger, floor }, log));
    }
  }
}

/** What was being sent when the backup was made is on its feed by now, or never will be. */
async function settle(
  { dataSource, transactions, signals }: Parts,
  rows: readonly SendingRow[],
  seen: ReadonlySet<string>,
  log: RecoveryLog,
): Promise<void> {
  log.count('records that were being sent', rows.length);
  if (log.dryRun) return;
  const [sent = [], unseen = []] = [true, false].map((is) =>
    rows.filter(({ outcome }) => seen.has(outcome.recordId) === is),
  );
  await settleSent(dataSource, transactions, signals, sent);
  // What followed it in the lost time may have had it compacted away.
  await settleAborted(dataSource, transactions, signals, unseen, 'maybe');
}

/** Of what was lost and may be compacted away on the feed, which a reader may have seen all the same. */
const highestVersion = ({ entries }: CompletedLedger, slug: string): number =>
  [...entries.values()].reduce(
    (highest, { leaf }) => (leaf.recipient === slug ? Math.max(highest, Number(leaf.version ?? 0)) : highest),
    0,
  );

async function raise(
  tx: Tx,
  recipient: string,
  subjects: readonly OnFeed[],
  { ledger, floor }: { readonly ledger: CompletedLedger; readonly floor: number },
  log: RecoveryLog,
): Promise<void> {
  const { manager } = tx;
  const known = await sharesOf(tx, subjects, ledger.size);
  const changed: { id: string; at: OnFeed; version: number; state: ShareState; holds: readonly Holding[] }[] = [];
  const fresh: OnFeed[] = [];
  for (const at of subjects) {
    const share = known.get(at.subject);
    if (share === undefined) {
      if (at.record !== undefined) fresh.push(at);
      continue;
    }
    const leaf = ledger.entries.get(at.entry)?.leaf;
    const version = Math.max(at.version, Number(leaf?.version ?? 0), share.isDisplaced ? floor : 0);
    if (version <= share.version && at.entry === share.entry) continue;
    const holds = unionOf(at.holds, share.holds);
    const state = holds.length > 0 ? 'released' : at.record === undefined ? 'ended' : 'withdrawn';
    changed.push({ id: share.id, at, version: Math.max(version, share.version), state, holds });
  }
  log.count('shares published anew', changed.length);
  log.count('subjects withdrawn that nobody knows here', fresh.length);
  if (log.dryRun) return;
  // About nobody that is known here: nothing of it is allowed, and so it is withdrawn, with a duty to delete it.
  const orphans = fresh.map((at) => ({
    id: randomUUID(),
    at,
    version: at.version,
    state: at.holds.length > 0 ? ('released' as const) : ('withdrawn' as const),
    holds: at.holds,
  }));
  await manager.query(
    `INSERT INTO shares (id, customer, recipient, subject, lane)
     SELECT id, gen_random_uuid(), $2, subject, lane FROM unnest($1::uuid[], $3::uuid[], $4::smallint[]) AS new (id, subject, lane)`,
    [
      orphans.map(({ id }) => id),
      recipient,
      orphans.map(({ at }) => at.subject),
      orphans.map(({ at }) => laneOf(at.subject)),
    ],
  );
  const all = [...changed, ...orphans];
  await manager.query(
    `UPDATE shares s SET version = n.version, state = n.state, holds = n.holds, mailing = n.mailing, entry = n.entry
     FROM unnest($1::uuid[], $2::int[], $3::text[], $4::jsonb[], $5::text[], $6::uuid[])
       AS n (id, version, state, holds, mailing, entry) WHERE s.id = n.id`,
    [
      all.map(({ id }) => id),
      all.map(({ version }) => version),
      all.map(({ state }) => state),
      all.map(({ holds }) => JSON.stringify(holds)),
      all.map(({ at }) => at.record?.mailing ?? 'stopped'),
      all.map(({ at }) => at.entry),
    ],
  );
  await keepLostEntries(tx, all, ledger);
  await makePending(
    manager,
    all.map(({ id }) => id),
    'resync-requested',
  );
}

/** Whose a lost entry is, its record on the feed still tells. */
async function keepLostEntries(
  { manager }: Tx,
  shares: readonly { readonly id: string; readonly at: OnFeed }[],
  { entries }: CompletedLedger,
): Promise<void> {
  const ids = shares.map(({ at }) => at.entry);
  const there: { entry: string }[] = await manager.query(
    'SELECT entry FROM share_entries WHERE entry = ANY($1::uuid[])',
    [ids],
  );
  const known = new Set(there.map(({ entry }) => entry));
  await keepShareEntries(
    manager,
    shares.flatMap(({ id, at }) => {
      const entry = known.has(at.entry) ? undefined : entries.get(at.entry);
      return entry === undefined ? [] : [{ share: id, leaf: entry.leaf, index: BigInt(entry.index) }];
    }),
  );
}

async function sharesOf(
  { manager }: Tx,
  subjects: readonly OnFeed[],
  size: number,
): Promise<ReadonlyMap<string, KnownShare>> {
  const rows: KnownShare[] = await manager.query(
    `SELECT id, subject, version, state, holds, entry,
       EXISTS (SELECT FROM share_entries e WHERE e.share = s.id AND e.index >= $2) AS "isDisplaced"
     FROM shares s WHERE subject = ANY($1::uuid[])`,
    [subjects.map(({ subject }) => subject), size],
  );
  await lockShares(
    manager,
    rows.map(({ id }) => id),
  );
  return new Map(rows.map((row) => [row.subject, row]));
}

/** All that the recipient may hold, by the last record or by what is known here: purposes too, or nobody would be told of their end. */
function unionOf(last: readonly Holding[], here: readonly Holding[]): readonly Holding[] {
  const names = new Set([...last, ...here].map(({ name }) => name));
  return [...names].map((name) => {
    const of = [...last, ...here].filter((hold) => hold.name === name);
    const purposes = new Map(of.flatMap((hold) => hold.purposes).map((one) => [one.purpose, one]));
    return { name, version: Math.min(...of.map(({ version }) => version)), purposes: [...purposes.values()] };
  });
}

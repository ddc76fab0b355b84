import { bytesOf, MAX_EVENT_BYTES } from '@castiron/contracts';
import type { CustomerKeys } from '@castiron/encryption';
import type { DataSource } from 'typeorm';
import type { PendingCause } from '../shares/make-shares.js';
import { composeRecord, recordMessage, type PreparedRecord } from './compose-record.js';
import type { FeedEnds } from './feed-ends.js';
import { loadShares, type LoadedShare } from './load-shares.js';
import { planRelease, type Plan } from './plan-release.decision.js';

/** Gives customers' keys; those of unknown or erased customers are missing. Throws where key custody is away. */
export interface KeySource {
  keysOf(customers: readonly string[]): Promise<ReadonlyMap<string, CustomerKeys>>;
}

export interface PreparedBatch {
  readonly records: readonly PreparedRecord[];
  /** Pending rows that need no record. */
  readonly answered: readonly string[];
  /** Pending rows that must wait, by how long in ms at least: one element for each length. */
  readonly postponed: readonly { readonly ids: readonly string[]; readonly ms: number }[];
  /** Whether more may be waiting in the lane. */
  readonly full: boolean;
}

const MAX_ROWS = 600;
const MAX_SHARES = 200;
/** No index takes more room. */
const LAST_INDEX = 2n ** 63n - 1n;
const KEYS_AWAY_MS = 1_000;
const UNKNOWN_KEY_MS = 5_000;
/** Its topics are being made, or the broker was away then. A send to a missing topic would hold up the whole lane. */
const NO_FEED_MS = 500;
const BROKEN_MS = 60_000;

const REPUBLISHING: readonly string[] = ['aborted', 'resync-requested'] satisfies PendingCause[];

interface PendingRow {
  readonly id: string;
  readonly share: string;
  readonly cause: string;
}

/** What is needed of elsewhere to make records. */
export interface Sources {
  readonly keys: KeySource;
  readonly feedEnds: Pick<FeedEnds, 'of'>;
}

/** Takes a lane's pending rows, merges those of one share, and composes what they need. Holds no lock and no transaction. */
export async function prepareBatch(
  dataSource: DataSource,
  lane: number,
  sources: Sources,
  onBroken: (share: string, error: unknown) => void,
): Promise<PreparedBatch> {
  const rows: PendingRow[] = await dataSource.query(
    `SELECT id, share, cause FROM pending_releases WHERE lane = $1 AND not_before <= clock_timestamp()
     ORDER BY not_before, id LIMIT $2`,
    [lane, MAX_ROWS],
  );
  const merged = new Map<string, PendingRow[]>();
  for (const row of rows) {
    const known = merged.get(row.share);
    if (known !== undefined) known.push(row);
    else if (merged.size < MAX_SHARES) merged.set(row.share, [row]);
  }
  if (merged.size === 0) return { records: [], answered: [], postponed: [], full: false };
  // Facts after rows: they are at least as new as what asked for them.
  const shares = await loadShares(dataSource.manager, [...merged.keys()]);
  const now = await databaseNow(dataSource);
  const batch = new BatchUnderWay(merged, onBroken);
  const plans = planAll(merged, shares, now, batch);
  const keys = await keysOf(sources.keys, plans);
  const recipients = plans.filter(({ share }) => share.provisioned).map(({ share }) => share.recipient);
  const ends = await sources.feedEnds.of(recipients);
  for (const planned of plans) batch.compose(planned, keys, ends.get(planned.share.recipient), now);
  return { ...batch.result(), full: rows.length === MAX_ROWS || merged.size === MAX_SHARES || batch.overfull };
}

async function databaseNow(dataSource: DataSource): Promise<Date> {
  const rows: { now: Date }[] = await dataSource.query('SELECT clock_timestamp() AS now');
  return rows[0]?.now ?? new Date();
}

interface Planned {
  readonly share: LoadedShare;
  readonly plan: Plan;
  readonly ids: readonly string[];
}

function planAll(
  merged: ReadonlyMap<string, readonly PendingRow[]>,
  shares: ReadonlyMap<string, LoadedShare>,
  now: Date,
  batch: BatchUnderWay,
): Planned[] {
  return [...merged].flatMap(([id, pending]) => {
    const share = shares.get(id);
    const ids = pending.map((row) => row.id);
    const plan =
      share === undefined
        ? undefined
        : planRelease(
            share,
            now,
            pending.some(({ cause }) => isRepublished(cause, share)),
          );
    if (share !== undefined && plan !== undefined) return [{ share, plan, ids }];
    batch.answered.push(...ids);
    return [];
  });
}

/**
 * Whether a record is made even where it says the same. Of a cancellation, only where the last one allowed mailings: one that
 * allows them anew must tell that it was made with the cancellation, and one link in a mail can cancel without end.
 */
const isRepublished = (cause: string, { mailing }: LoadedShare): boolean =>
  REPUBLISHING.includes(cause) || (cause === ('mailing-cancelled' satisfies PendingCause) && mailing === 'allowed');

/** undefined: key custody is away. */
async function keysOf(
  source: KeySource,
  plans: readonly Planned[],
): Promise<ReadonlyMap<string, CustomerKeys> | undefined> {
  if (plans.length === 0) return new Map();
  try {
    return await source.keysOf([...new Set(plans.map(({ share }) => share.customer))]);
  } catch {
    return undefined;
  }
}

class BatchUnderWay {
  readonly records: PreparedRecord[] = [];
  readonly answered: string[] = [];
  /** By how long in ms. */
  private readonly postponed = new Map<number, string[]>();
  private bytes = 0;
  overfull = false;

  constructor(
    readonly merged: ReadonlyMap<string, readonly PendingRow[]>,
    private readonly onBroken: (share: string, error: unknown) => void,
  ) {}

  compose(
    { share, plan, ids }: Planned,
    keys: ReadonlyMap<string, CustomerKeys> | undefined,
    feedEnds: readonly bigint[] | undefined,
    now: Date,
  ): void {
    if (this.overfull) return;
    if (feedEnds === undefined) {
      this.postpone(ids, NO_FEED_MS);
      return;
    }
    const own = keys?.get(share.customer);
    // A record without attributes goes all the same: nothing may keep a withdrawal back.
    if (plan.holds.length > 0 && own === undefined) {
      this.postpone(ids, keys === undefined ? KEYS_AWAY_MS : UNKNOWN_KEY_MS);
      return;
    }
    try {
      const record = composeRecord(share, plan, ids, own, feedEnds, now);
      this.bytes += bytesOf(recordMessage(record, LAST_INDEX));
      // All of it may be of one partition, which takes so much at once.
      this.overfull = this.bytes > MAX_EVENT_BYTES && this.records.length > 0;
      if (!this.overfull) this.records.push(record);
    } catch (error) {
      // One share that cannot be composed holds up no other.
      this.onBroken(share.id, error);
      this.postpone(ids, BROKEN_MS);
    }
  }

  private postpone(ids: readonly string[], ms: number): void {
    const known = this.postponed.get(ms);
    if (known === undefined) this.postponed.set(ms, [...ids]);
    else known.push(...ids);
  }

  result(): Pick<PreparedBatch, 'records' | 'answered' | 'postponed'> {
    const postponed = [...this.postponed].map(([ms, ids]) => ({ ids, ms }));
    return { records: this.records, answered: this.answered, postponed };
  }
}

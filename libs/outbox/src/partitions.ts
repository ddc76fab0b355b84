import type { Query } from './connections.js';

/** Ids of one partition: what is sent goes away in pieces of this size, by dropping a table. */
export const PARTITION_IDS = 100_000n;
/** Partitions kept ready: an outbox without room for a new id would refuse every command. */
const AHEAD = 8;

/** A partition that is not full by then is closed. */
const FILLED_WITHIN = '1 hour';

/** Who waits for a lock of the whole table has everybody else wait behind. */
const LOCK_WAIT = '200ms';
/** And behind who has it and says nothing more: its process is paused, or its connection half open. */
const SILENT_FOR = '1s';
const TIME_LIMITS = `SELECT set_config('lock_timeout', '${LOCK_WAIT}', true),
  set_config('idle_in_transaction_session_timeout', '${SILENT_FOR}', true)`;

interface Partition {
  readonly name: string;
  /** First id of the partition. */
  readonly from: bigint;
}

const nameOf = (from: bigint): string => `outbox_p${from / PARTITION_IDS}`;

/** From the oldest on. */
export async function partitions(query: Query): Promise<Partition[]> {
  const rows = await query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'outbox'::regclass AND c.relname ~ '^outbox_p[0-9]+$'`,
  );
  return rows
    .map(({ name }) => ({ name, from: BigInt(name.slice('outbox_p'.length)) * PARTITION_IDS }))
    .sort((a, b) => (a.from < b.from ? -1 : 1));
}

async function lastId(query: Query): Promise<bigint> {
  const [row] = await query<{ last_value: string }>(`SELECT last_value FROM outbox_id`);
  return BigInt(row?.last_value ?? 0);
}

async function missing(query: Query): Promise<bigint[]> {
  const current = ((await lastId(query)) / PARTITION_IDS) * PARTITION_IDS;
  const existing = new Set((await partitions(query)).map(({ from }) => from));
  const wanted = Array.from({ length: AHEAD }, (_, n) => current + BigInt(n) * PARTITION_IDS);
  return wanted.filter((from) => !existing.has(from));
}

/**
 * Makes room for the ids to come, in a transaction of its own. Several processes may do so at once. Each partition is made
 * aside and attached, which waits for no writer and keeps none waiting, whereas making it in place does both.
 */
export async function createPartitions(query: Query): Promise<void> {
  if ((await missing(query)).length === 0) return;
  // What attaching takes, before it is looked again: another process may be at it. No writer waits behind who waits for this.
  // Not the partitions, where it would wait for autovacuum or end its work.
  await query(`LOCK TABLE ONLY outbox IN SHARE UPDATE EXCLUSIVE MODE`);
  for (const from of await missing(query)) {
    await query(`CREATE TABLE ${nameOf(from)} (LIKE outbox INCLUDING ALL)`);
    await query(
      `ALTER TABLE outbox ATTACH PARTITION ${nameOf(from)} FOR VALUES FROM (${from}) TO (${from + PARTITION_IDS})`,
    );
  }
}

/** Something of a partition that is not settled, or not marked where a service marks: of a lane that nobody knows, too. */
const unsentOf = (partition: Partition): string =>
  `SELECT FROM ${partition.name} o LEFT JOIN outbox_lanes l ON l.lane = o.lane
   WHERE (l.lane IS NULL OR NOT pg_visible_in_snapshot(o.xid, coalesce(l.marked, l.settled)))`;

/** The snapshot in which all of a partition is settled; undefined where something of it is not. */
async function settledIn(query: Query, partition: Partition): Promise<string | undefined> {
  const [row] = await query<{ snapshot: string }>(
    `SELECT pg_current_snapshot()::text AS snapshot WHERE NOT EXISTS (${unsentOf(partition)})`,
  );
  return row?.snapshot;
}

/** Whether what a snapshot does not show holds anything that is not settled. What was settled once is sent, for good. */
async function holdsUnsentSince(query: Query, partition: Partition, snapshot: string): Promise<boolean> {
  const [row] = await query<{ unsent: boolean }>(
    `SELECT EXISTS (
       ${unsentOf(partition)}
         AND (o.xid >= pg_snapshot_xmax($1::pg_snapshot) OR o.xid = ANY (ARRAY(SELECT pg_snapshot_xip($1::pg_snapshot))))
     ) AS unsent`,
    [snapshot],
  );
  return row?.unsent !== false;
}

/** Whether its events have waited long enough for their partition to be filled. */
async function isOld(query: Query, partition: Partition): Promise<boolean> {
  const [first] = await query<{ old: boolean }>(
    `SELECT created_at < now() - interval '${FILLED_WITHIN}' AS old FROM ${partition.name} ORDER BY id LIMIT 1`,
  );
  return first?.old === true;
}

/**
 * Whether waiting would be in vain. Who writes and reads holds the outbox itself, and is waited for there, where that began
 * just now. Who holds the partition alone may do so for long, as autovacuum does, whose age is not shown to everybody.
 */
async function isHeld(query: Query, partition: Partition): Promise<boolean> {
  const [row] = await query<{ held: boolean }>(
    `SELECT EXISTS (
       SELECT FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
       WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
         AND l.pid IS DISTINCT FROM pg_backend_pid() AND l.mode <> 'SIReadLock'
         AND l.relation IN (SELECT unnest(ARRAY['outbox'::regclass, oid, reltoastrelid]) FROM pg_class WHERE oid = $1::regclass)
       GROUP BY l.pid, a.xact_start
       HAVING (bool_or(l.relation = 'outbox'::regclass) AND a.xact_start > clock_timestamp() - interval '${LOCK_WAIT}') IS NOT TRUE
     ) AS held`,
    [partition.name],
  );
  return row?.held !== false;
}

/**
 * Drops the oldest partition if every lane has settled all of it and nothing can come into it any more. Where few events
 * come, ids go on to the next partition after an hour, so that what was sent does not lie there until that is full.
 * Runs in a transaction of its own, of one process at a time. Locking the table waits for those who have taken an id and not
 * committed yet, for a fifth of a second at most, and new ones wait behind: for that, for the few short statements that
 * follow, and where the partition is held after all, for as long once more. Who says nothing for a second loses the lock.
 * @throws where that would take long (lock_timeout): it is left for another time
 * @returns whether one was dropped
 */
export async function dropSettledPartition(query: Query): Promise<boolean> {
  const [lock] = await query<{ taken: boolean }>(
    `SELECT pg_try_advisory_xact_lock('outbox'::regclass::oid::int, 0) AS taken`,
  );
  if (lock?.taken !== true) return false;
  const [oldest, next] = await partitions(query);
  if (oldest === undefined || next === undefined) return false;
  if ((await lastId(query)) < next.from && !(await isOld(query, oldest))) return false;
  // Looked at before the lock, for it takes a while to read it all; under the lock only what was not to be seen then.
  const settled = await settledIn(query, oldest);
  if (settled === undefined || (await isHeld(query, oldest))) return false;
  await query(TIME_LIMITS);
  // Not the other partitions: nobody comes to one but by the table, save autovacuum, which is at some of them for long.
  await query(`LOCK TABLE ONLY outbox IN ACCESS EXCLUSIVE MODE`);
  if (await holdsUnsentSince(query, oldest, settled)) return false;
  // Ids are taken by inserting, which nobody can now.
  if ((await lastId(query)) < next.from) await query(`SELECT setval('outbox_id', ${next.from - 1n})`);
  await query(`DROP TABLE ${oldest.name}`);
  return true;
}

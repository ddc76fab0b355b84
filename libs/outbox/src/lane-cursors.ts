import type { WireMessage } from '@castiron/contracts';
import type { DataSource } from 'typeorm';

/** How long a process keeps its lanes without a word. Longer than a send may take, or its successor would overtake it. */
export const LEASE_MS = 10_000;

/** Rows read and sent at once. */
export const PAGE = 500;

/**
 * Where a lane stands: everything visible in `settled` is sent; of what became visible up to `reading`, everything up to
 * `lastId`. A cursor over ids alone would skip rows that commit late; one behind the oldest open transaction would wait
 * for strangers. The two snapshots name exactly the rows in between.
 */
export interface LaneCursor {
  readonly lane: number;
  /** Grows with each owner: writes of a former one do nothing. */
  readonly token: string;
  settled: string;
  reading: string;
  lastId: string;
}

export interface OutboxRow {
  readonly id: string;
  readonly message: WireMessage;
}

/** Takes every lane that nobody holds. */
export async function claimLanes(dataSource: DataSource, leaseMs = LEASE_MS): Promise<LaneCursor[]> {
  const [rows] = await dataSource.query<[LaneCursor[], number]>(
    `UPDATE outbox_lanes SET token = token + 1, lease_until = now() + $1::int * interval '1 millisecond'
     WHERE lane IN (SELECT lane FROM outbox_lanes WHERE lease_until < now() ORDER BY lane FOR UPDATE SKIP LOCKED)
     RETURNING lane, token, settled::text AS settled, reading::text AS reading, last_id AS "lastId"`,
    [leaseMs],
  );
  return rows;
}

/** Writes where the lanes stand and renews their leases. @returns the lanes that are still held */
export async function writeCursors(
  dataSource: DataSource,
  lanes: readonly LaneCursor[],
  leaseMs = LEASE_MS,
): Promise<Set<number>> {
  const [rows] = await dataSource.query<[{ lane: number }[], number]>(
    `UPDATE outbox_lanes l
     SET settled = c.settled::pg_snapshot, reading = c.reading::pg_snapshot, last_id = c.last_id,
         lease_until = now() + $1::int * interval '1 millisecond'
     FROM unnest($2::smallint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[]) AS c(lane, token, settled, reading, last_id)
     WHERE l.lane = c.lane AND l.token = c.token
     RETURNING l.lane`,
    [
      leaseMs,
      lanes.map(({ lane }) => lane),
      lanes.map(({ token }) => token),
      lanes.map(({ settled }) => settled),
      lanes.map(({ reading }) => reading),
      lanes.map(({ lastId }) => lastId),
    ],
  );
  return new Set(rows.map(({ lane }) => lane));
}

/** Lets go of lanes, so that another process need not wait for the lease to end. */
export async function releaseLanes(dataSource: DataSource, lanes: readonly LaneCursor[]): Promise<void> {
  await dataSource.query(
    `UPDATE outbox_lanes l SET lease_until = '-infinity'
     FROM unnest($1::smallint[], $2::bigint[]) AS c(lane, token) WHERE l.lane = c.lane AND l.token = c.token`,
    [lanes.map(({ lane }) => lane), lanes.map(({ token }) => token)],
  );
}

/**
 * Looks for rows that were not visible in `settled` and are now. One statement, so that its own snapshot is the one
 * returned and covers exactly what it saw. `id + 0` keeps the planner from walking all settled rows by id.
 */
export async function lookForNews(
  dataSource: DataSource,
  lanes: readonly number[],
  settled: string,
): Promise<{ snapshot: string; firstId: string | null }> {
  const [row] = await dataSource.query<{ snapshot: string; firstId: string | null }[]>(
    `SELECT pg_current_snapshot()::text AS snapshot,
       (SELECT min(id + 0) FROM outbox
        WHERE xid >= pg_snapshot_xmin($1::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $1::pg_snapshot)
          AND lane = ANY ($2::smallint[])) AS "firstId"`,
    [settled, lanes],
  );
  if (row === undefined) throw new Error('PostgreSQL gave no snapshot');
  return row;
}

/** The next rows between two snapshots, by id. */
export async function readPage(
  dataSource: DataSource,
  lanes: readonly number[],
  { settled, reading, lastId }: Pick<LaneCursor, 'settled' | 'reading' | 'lastId'>,
): Promise<OutboxRow[]> {
  const rows = await dataSource.query<
    { id: string; topic: string; key: string; payload: string | null; headers: Record<string, string> }[]
  >(
    `SELECT id, aggregatetype AS topic, aggregateid AS key, payload, headers FROM outbox
     WHERE id > $1 AND lane = ANY ($2::smallint[])
       AND pg_visible_in_snapshot(xid, $3::pg_snapshot) AND NOT pg_visible_in_snapshot(xid, $4::pg_snapshot)
     ORDER BY id LIMIT $5`,
    [lastId, lanes, reading, settled, PAGE],
  );
  return rows.map(({ id, topic, key, payload, headers }) => ({
    id,
    message: { topic, key, value: payload, headers: { ...headers, ce_sequence: id } },
  }));
}

import type { Connections } from './connections.js';

/** How long a process keeps its lanes without a word. */
export const LEASE_MS = 10_000;

/**
 * Where a lane stands: everything visible in `settled` is sent; of what became visible up to `reading`, everything up to
 * `lastId`. A cursor over ids alone would skip rows that commit late; one behind the oldest open transaction would wait
 * for strangers. The two snapshots name exactly the rows in between.
 */
export interface Place {
  readonly settled: string;
  readonly reading: string;
  readonly lastId: string;
  /** No row that `reading` shows has a higher id: known by who fixed it, and otherwise the newest id when the lane was taken. */
  readonly upTo: string;
}

export interface LaneCursor {
  readonly lane: number;
  /** Grows with each owner: writes of a former one do nothing. */
  readonly token: string;
  /** Of the server whose snapshots its places hold. */
  readonly incarnation: string;
  readonly cursor: Place;
}

interface Row {
  readonly lane: number;
  readonly token: string;
  readonly settled: string;
  readonly reading: string;
  readonly last_id: string;
  readonly newest: string;
}

/**
 * Takes every lane that nobody holds, at the server whose cluster was recognised: places of another one would be taken for
 * its own.
 *
 * A lane whose lease has just ended unrenewed is not taken again by its own owner: who still has the token has the lane.
 *
 * A lease that ends later than any that this process gives is one of before the database's clock was set back, or of a
 * process with longer ones: a living owner renews it soon, and a lane taken too early does no harm.
 *
 * Unlike a cursor, a token must outlive the server's memory: given out twice, it would let two owners write.
 */
export async function claimLanes(
  connections: Connections,
  recognised: string,
  held: readonly Pick<LaneCursor, 'lane'>[],
  leaseMs = LEASE_MS,
): Promise<LaneCursor[]> {
  const { rows, incarnation } = await connections.query<Row>(
    {
      name: 'outbox-claim',
      text: `UPDATE outbox_lanes SET token = token + 1, lease_until = now() + $1::int * interval '1 millisecond'
     FROM (SELECT set_config('synchronous_commit', 'on', true)) AS durable
     WHERE lane IN (
       SELECT lane FROM outbox_lanes
       WHERE lease_until NOT BETWEEN now() AND now() + 2 * $1::int * interval '1 millisecond' AND lane <> ALL ($2::smallint[])
       ORDER BY lane FOR UPDATE SKIP LOCKED)
     RETURNING lane, token, settled::text, reading::text, last_id, (SELECT last_value FROM outbox_id) AS newest`,
      values: [leaseMs, held.map(({ lane }) => lane)],
    },
    [recognised],
  );
  return rows.map(({ lane, token, settled, reading, last_id, newest }) => ({
    lane,
    token,
    incarnation,
    cursor: { settled, reading, lastId: last_id, upTo: newest },
  }));
}

/**
 * Writes where the lanes stand and renews their leases. What was read from a server that crashed since is never written;
 * what a crash leaves of cursors is true, for the disk has all that was there before it.
 * @returns the lanes that are still held
 */
export async function writeCursors(
  connections: Connections,
  lanes: readonly LaneCursor[],
  leaseMs = LEASE_MS,
): Promise<Set<number>> {
  const { rows } = await connections.query<{ lane: number }>(
    {
      name: 'outbox-mark',
      text: `UPDATE outbox_lanes l
     SET settled = c.settled::pg_snapshot, reading = c.reading::pg_snapshot, last_id = c.last_id,
         lease_until = now() + $1::int * interval '1 millisecond'
     FROM unnest($2::smallint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[]) AS c(lane, token, settled, reading, last_id)
     WHERE l.lane = c.lane AND l.token = c.token
     RETURNING l.lane`,
      values: [
        leaseMs,
        lanes.map(({ lane }) => lane),
        lanes.map(({ token }) => token),
        lanes.map(({ cursor }) => cursor.settled),
        lanes.map(({ cursor }) => cursor.reading),
        lanes.map(({ cursor }) => cursor.lastId),
      ],
    },
    lanes.map(({ incarnation }) => incarnation),
  );
  return new Set(rows.map(({ lane }) => lane));
}

/** Lets go of lanes, so that another process need not wait for the lease to end. */
export async function releaseLanes(connections: Connections, lanes: readonly LaneCursor[]): Promise<void> {
  await connections.query(
    {
      text: `UPDATE outbox_lanes l SET lease_until = '-infinity'
     FROM unnest($1::smallint[], $2::bigint[]) AS c(lane, token) WHERE l.lane = c.lane AND l.token = c.token`,
      values: [lanes.map(({ lane }) => lane), lanes.map(({ token }) => token)],
    },
    [],
  );
}

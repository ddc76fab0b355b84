import type pg from 'pg';

const MIB = 2 ** 20;

export interface Tables {
  readonly outboxMiB: number;
  /** Rows of the outbox and its lanes that nobody sees any more and that take room. */
  readonly dead: number;
  /** Ids before this one went with their partitions. */
  readonly firstId: number;
  /** The id given out last. */
  readonly lastId: number;
}

/** How large the outbox is, with its indexes and its lanes. */
export async function outboxOf(client: pg.Client): Promise<Tables> {
  const { rows } = await client.query<{ bytes: string; dead: string; first: string; last: string }>(
    `SELECT (sum(pg_total_relation_size(i.inhrelid)) + pg_total_relation_size('outbox_lanes'))::text AS bytes,
       (SELECT last_value::text FROM outbox_id) AS last,
       min(substring(pg_get_expr(c.relpartbound, c.oid) FROM '\\(''?(\\d+)')::bigint)::text AS first,
       (SELECT sum(n_dead_tup)::text FROM pg_stat_user_tables WHERE relname LIKE 'outbox%') AS dead
     FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'outbox'::regclass`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('there is no outbox');
  return {
    outboxMiB: Number(row.bytes) / MIB,
    dead: Number(row.dead),
    firstId: Number(row.first),
    lastId: Number(row.last),
  };
}

/** Bytes that the inbox keeps. */
export async function inboxBytes(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    `SELECT sum(pg_total_relation_size(inhrelid))::text AS bytes FROM pg_inherits WHERE inhparent = 'inbox'::regclass`,
  );
  return Number(rows[0]?.bytes);
}

import type { DataSource, EntityManager } from 'typeorm';

export type ParkedState = 'parked' | 'handled' | 'discarded';

/** A message that is or was parked, without any of its content. */
export interface ParkedRow {
  readonly id: string;
  readonly topic: string;
  /** `partition/offset@milliseconds`. */
  readonly position: string;
  /** The contract's type; null where it is no event. */
  readonly type: string | null;
  readonly eventId: string | null;
  /** A stable code. */
  readonly reason: string;
  readonly state: ParkedState;
  /** Whether later messages of its key wait behind it. */
  readonly holdsUp: boolean;
  /** Of key, value and headers as they came. */
  readonly bytes: number;
  /** It was too large to be kept: only its size, a hash and a prefix were, and it can never be handled. */
  readonly truncated: boolean;
  /** How many messages the row counts: more than one only where a recipient sent too many. */
  readonly messages: number;
  readonly parkedAt: Date;
  readonly endedAt: Date | null;
  readonly endedReason: string | null;
}

/** Parked messages that have one topic, type and reason. */
export interface Cause {
  readonly topic: string;
  readonly type: string | null;
  readonly reason: string;
  readonly messages: number;
  readonly bytes: number;
  readonly oldest: Date;
  readonly newest: Date;
}

/** Which messages: all that fit. Empty: all. */
export interface Selection {
  readonly ids?: readonly string[];
  readonly topic?: string;
  readonly type?: string;
  readonly reason?: string;
}

export interface Page {
  /** The last id of the page before. */
  readonly after?: string;
  readonly limit: number;
}

const COLUMNS = `id, topic, position, type, event_id AS "eventId", reason, state, holds_up AS "holdsUp",
  bytes::float8 AS bytes, truncated, messages::float8 AS messages, parked_at AS "parkedAt", ended_at AS "endedAt",
  ended_reason AS "endedReason"`;

/** Parameters $2 to $5 of a statement whose $1 is the consumer. */
export const SELECTED = `($2::bigint[] IS NULL OR id = ANY ($2)) AND ($3::text IS NULL OR topic = $3)
  AND ($4::text IS NULL OR type = $4) AND ($5::text IS NULL OR reason = $5)`;

export const parametersOf = ({ ids, topic, type, reason }: Selection): unknown[] => [
  ids ?? null,
  topic ?? null,
  type ?? null,
  reason ?? null,
];

/** A page of rows, oldest first. */
export function listRows(
  dataSource: DataSource,
  consumer: string,
  state: ParkedState,
  selection: Selection,
  { after, limit }: Page,
): Promise<ParkedRow[]> {
  return dataSource.query(
    `SELECT ${COLUMNS} FROM parked_messages
     WHERE consumer = $1 AND ${SELECTED} AND state = $6 AND id > $7 ORDER BY id LIMIT $8`,
    [consumer, ...parametersOf(selection), state, after ?? '0', limit],
  );
}

/** Of all that are parked, oldest first. */
export async function idsOf(dataSource: DataSource, consumer: string, selection: Selection): Promise<string[]> {
  const rows = await dataSource.query<{ id: string }[]>(
    `SELECT id FROM parked_messages WHERE consumer = $1 AND ${SELECTED} AND state = 'parked' ORDER BY id`,
    [consumer, ...parametersOf(selection)],
  );
  return rows.map(({ id }) => id);
}

export async function rowOf(
  manager: EntityManager,
  consumer: string,
  id: string,
): Promise<(ParkedRow & { readonly sealed: Buffer | null }) | undefined> {
  const [row] = await manager.query<(ParkedRow & { sealed: Buffer | null })[]>(
    `SELECT ${COLUMNS}, sealed FROM parked_messages WHERE consumer = $1 AND id = $2`,
    [consumer, id],
  );
  return row;
}

/** What is parked now, by topic, type and reason; most first. */
export function causesOf(dataSource: DataSource, consumer: string): Promise<Cause[]> {
  return dataSource.query(
    `SELECT topic, type, reason, count(*)::float8 AS messages, sum(bytes)::float8 AS bytes, min(parked_at) AS oldest,
       max(parked_at) AS newest
     FROM parked_messages WHERE consumer = $1 AND state = 'parked' GROUP BY topic, type, reason
     ORDER BY count(*) DESC, topic, type, reason`,
    [consumer],
  );
}

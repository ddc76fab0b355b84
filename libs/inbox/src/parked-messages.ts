import { replies } from '@castiron/contracts';
import type { DataSource, EntityManager } from 'typeorm';
import type { Item } from './item.js';
import { LARGEST_BYTES, pack } from './packing.js';
import { BY_ITSELF } from './parked-actions.js';

/** Seals bytes for whoever stores them and opens them again; what is parked, for a broken message may hold anything. */
export interface Seal {
  seal(bytes: Buffer): Buffer;
  open(sealed: Buffer): Buffer;
  /** The same for the same value, and under another key another: who has it alone cannot try what the value was. */
  hash(value: string): string;
}

/** How much is kept. */
export interface Most {
  readonly messages: number;
  /** As they are stored, sealed; the last one may go beyond. */
  readonly bytes: number;
}

/** Of one topic that a recipient writes. What it sends beyond that is only counted: it must not fill our disk. */
const MOST_OF_A_RECIPIENT: Most = { messages: 10_000, bytes: 256 * 1_048_576 };

/** What goes to the database in one statement, in bytes; each takes twice that on its way. */
const AT_ONCE_BYTES = 2 * LARGEST_BYTES;

/** What is ended in one statement. */
const SLICE = 1_000;

/** What an ended message keeps: not its content, and no hash of a key that may be anybody's name. */
export const ENDED = `sealed = NULL, key_hash = '', ended_at = now()`;

/** A message that is to be parked, with its stable reason. */
export interface Parking {
  readonly item: Item;
  readonly reason: string;
  /** What its handler threw. */
  readonly cause?: unknown;
}

/**
 * Whether later messages of its key must wait behind it. On state topics a later one says all. A message that is no
 * event has no place in the order, unless a reader that knows more may find one in it.
 */
export function holdsUp({ content }: Item): boolean {
  if (content.kind === 'broken') return content.reason === 'unknown-type' || content.reason === 'unknown-shape';
  return content.event.contract.topic.kind === 'events';
}

/**
 * Keeps messages of one topic that cannot be handled, in their order. A second time is the same, but that what was no
 * event to an older version, and is one by now, takes its id: the inbox has just been told that it has seen it, and a
 * replay would take it for handled.
 * @returns those that were not parked before; also what is only counted, for which nobody knows
 */
export async function park(
  manager: EntityManager,
  consumer: string,
  parkings: readonly Parking[],
  seal: Seal,
  most: Partial<Most> = {},
): Promise<Parking[]> {
  const topic = parkings[0]?.item.raw.topic;
  if (topic === undefined) return [];
  let room: Most =
    replies.slugOf(topic) === undefined
      ? { messages: Infinity, bytes: Infinity }
      : await roomOf(manager, consumer, topic, { ...MOST_OF_A_RECIPIENT, ...most });
  let rows: unknown[][] = [];
  let bytes = 0;
  const beyond = new Map<string, number>();
  const isNew = new Set<string>();
  const flush = async (): Promise<void> => {
    for (const position of await insert(manager, consumer, topic, rows)) isNew.add(position);
    rows = [];
    bytes = 0;
  };
  for (const { item, reason } of parkings) {
    if (room.messages <= 0 || room.bytes <= 0) {
      isNew.add(item.position);
      beyond.set(reason, (beyond.get(reason) ?? 0) + 1);
      continue;
    }
    const packed = pack(item.raw);
    const { content } = item;
    const [id, type] = content.kind === 'event' ? [content.event.meta.id, content.event.contract.type] : [null, null];
    const sealed = seal.seal(packed.bytes);
    const keyHash = seal.hash(item.keyHash);
    rows.push([item.position, keyHash, holdsUp(item), id, type, reason, sealed, packed.size, packed.truncated]);
    bytes += sealed.length;
    room = { messages: room.messages - 1, bytes: room.bytes - sealed.length };
    if (bytes > AT_ONCE_BYTES) await flush();
  }
  await flush();
  await countOnly(manager, consumer, topic, beyond);
  return parkings.filter(({ item }) => isNew.has(item.position));
}

/** @returns the positions of those that are new */
async function insert(manager: EntityManager, consumer: string, topic: string, rows: unknown[][]): Promise<string[]> {
  if (rows.length === 0) return [];
  const columns = rows[0]?.map((_, at) => rows.map((row) => row[at])) ?? [];
  const written = await manager.query<{ position: string; isNew: boolean }[]>(
    `INSERT INTO parked_messages
       (consumer, topic, position, key_hash, holds_up, event_id, type, reason, sealed, bytes, truncated)
     SELECT $1, $2, m.* FROM unnest($3::text[], $4::text[], $5::boolean[], $6::uuid[], $7::text[], $8::text[],
       $9::bytea[], $10::bigint[], $11::boolean[]) AS m
     ON CONFLICT (consumer, topic, position) DO UPDATE
       SET event_id = excluded.event_id, type = excluded.type, holds_up = excluded.holds_up
       WHERE parked_messages.state = 'parked' AND parked_messages.event_id IS NULL AND excluded.event_id IS NOT NULL
     RETURNING position, xmax = 0 AS "isNew"`,
    [consumer, topic, ...columns],
  );
  return written.filter(({ isNew }) => isNew).map(({ position }) => position);
}

/** What may still be kept of a topic. */
async function roomOf(manager: EntityManager, consumer: string, topic: string, most: Most): Promise<Most> {
  const [kept] = await manager.query<Most[]>(
    `SELECT count(*)::int AS messages, coalesce(sum(octet_length(sealed)), 0)::float8 AS bytes FROM
       (SELECT sealed FROM parked_messages WHERE consumer = $1 AND topic = $2 AND state = 'parked' LIMIT $3) AS kept`,
    [consumer, topic, most.messages],
  );
  return { messages: most.messages - (kept?.messages ?? 0), bytes: most.bytes - (kept?.bytes ?? 0) };
}

/** One row per reason and hour. A message that comes twice is counted twice: it is a figure. */
async function countOnly(
  manager: EntityManager,
  consumer: string,
  topic: string,
  beyond: ReadonlyMap<string, number>,
): Promise<void> {
  if (beyond.size === 0) return;
  await manager.query(
    `INSERT INTO parked_messages
       (consumer, topic, position, key_hash, holds_up, reason, state, messages, ended_at, ended_reason)
     SELECT $1, $2, 'beyond/' || reason || '/' || to_char(now(), 'YYYY-MM-DD"T"HH24'), '', false, reason, 'discarded', messages,
       now(), 'too-many'
     FROM unnest($3::text[], $4::int[]) AS beyond (reason, messages) ORDER BY reason
     ON CONFLICT (consumer, topic, position)
       DO UPDATE SET messages = parked_messages.messages + excluded.messages, ended_at = now()`,
    [consumer, topic, [...beyond.keys()], [...beyond.values()]],
  );
}

/**
 * Of these keys of a topic, those that have parked messages, and whether these hold up later ones. Of each key the newest
 * that does is locked, and only that, for there may be thousands: a replay goes by the order of ids, so it can end what
 * holds up only with that one, and what is parked behind it is parked before the replay looks again.
 * @param locks false where what comes says all: it waits for a replay where it ends what that has locked, oldest first
 */
export async function parkedKeys(
  manager: EntityManager,
  consumer: string,
  topic: string,
  keyHashes: readonly string[],
  seal: Seal,
  locks = true,
): Promise<Map<string, boolean>> {
  if (keyHashes.length === 0) return new Map();
  const keys = new Map(keyHashes.map((keyHash) => [seal.hash(keyHash), keyHash]));
  const rows = await manager.query<{ stored: string; holdsUp: boolean }[]>(
    `SELECT stored, newest.id IS NOT NULL AS "holdsUp" FROM unnest($3::text[]) AS stored LEFT JOIN LATERAL (
       SELECT id FROM parked_messages
       WHERE consumer = $1 AND topic = $2 AND key_hash = stored AND state = 'parked' AND holds_up
       ORDER BY id DESC LIMIT 1 ${locks ? 'FOR SHARE' : ''}
     ) AS newest ON true
     WHERE EXISTS (SELECT FROM parked_messages
       WHERE consumer = $1 AND topic = $2 AND key_hash = stored AND state = 'parked')`,
    [consumer, topic, [...keys.keys(), ...keyHashes]],
  );
  const former = rows.filter(({ stored }) => !keys.has(stored)).map(({ stored }) => stored);
  if (former.length > 0) await hashAnew(manager, consumer, topic, former, seal);
  const held = new Map<string, boolean>();
  for (const { stored, holdsUp: holds } of rows) {
    const key = keys.get(stored) ?? stored;
    held.set(key, held.get(key) === true || holds);
  }
  return held;
}

/**
 * Former versions stored the key's hash as it was. Before anything more that waits is parked under a key, what they left
 * of it joins it under the hash of today, so that it has one order. Until 30 days after the last of them was parked.
 */
async function hashAnew(
  manager: EntityManager,
  consumer: string,
  topic: string,
  former: readonly string[],
  seal: Seal,
): Promise<void> {
  await manager.query(
    `UPDATE parked_messages SET key_hash = anew.hash FROM unnest($3::text[], $4::text[]) AS anew (former, hash)
     WHERE consumer = $1 AND topic = $2 AND key_hash = former AND state = 'parked'`,
    [consumer, topic, former, former.map((hash) => seal.hash(hash))],
  );
}

/**
 * A record of a state topic says all: what was parked of its key before is done with. It may have been parked once itself,
 * when nobody could read it. Then what was parked after it stays; and so does its own row where it is parked again, as an
 * event by now.
 */
export async function supersede(
  manager: EntityManager,
  consumer: string,
  { raw: { topic }, keyHash, position }: Item,
  seal: Seal,
): Promise<void> {
  await endSuperseded(manager, consumer, [
    `topic = $3 AND key_hash = $4 AND (position <> $5 OR event_id IS NULL)
     AND id <= ALL (SELECT id FROM parked_messages WHERE consumer = $1 AND topic = $3 AND position = $5)`,
    topic,
    seal.hash(keyHash),
    position,
  ]);
}

/** The same where the later record was parked itself, and is handled now. @returns the ids of what it ended */
export function supersedeOlder(manager: EntityManager, consumer: string, parkedId: string): Promise<string[]> {
  return endSuperseded(manager, consumer, [
    `(topic, key_hash) = (SELECT topic, key_hash FROM parked_messages WHERE id = $3) AND id < $3`,
    parkedId,
  ]);
}

/**
 * Locks a parked message for whoever handles it, with the older ones of its key where it says all. In the order of ids, as
 * {@link endSuperseded} does: otherwise each would have what the other waits for.
 * @returns whether it is still parked
 */
export async function lockParked(manager: EntityManager, id: string, withOlder: boolean): Promise<boolean> {
  const locked = await manager.query<{ id: string }[]>(
    `SELECT id FROM parked_messages
     WHERE (consumer, topic, key_hash) = (SELECT consumer, topic, key_hash FROM parked_messages WHERE id = $1)
       AND id BETWEEN $2 AND $1 AND state = 'parked' ORDER BY id FOR UPDATE`,
    [id, withOlder ? '0' : id],
  );
  return locked.at(-1)?.id === id;
}

async function endSuperseded(
  manager: EntityManager,
  consumer: string,
  [condition, ...parameters]: readonly [string, ...string[]],
): Promise<string[]> {
  const ended = await manager.query<{ id: string }[]>(
    `WITH ended AS (
       UPDATE parked_messages SET state = 'discarded', ended_reason = 'superseded', ${ENDED}
       WHERE id = ANY (ARRAY(
         SELECT id FROM parked_messages WHERE consumer = $1 AND ${condition} AND state = 'parked' ORDER BY id FOR UPDATE))
       RETURNING id)
     INSERT INTO parked_actions (consumer, message, action, actor, reason)
     SELECT $1, id, 'discarded', $2, 'superseded' FROM ended ORDER BY id RETURNING message AS id`,
    [consumer, BY_ITSELF, ...parameters],
  );
  return ended.map(({ id }) => id);
}

interface Ended {
  readonly id: string;
  readonly topic: string;
  readonly type: string | null;
  readonly reason: string;
}

/**
 * Ends parked messages that nobody will handle, recorded, oldest first. In slices that are committed each: a statement for
 * all of many would take longer than one may, and end none of them, ever.
 * @param condition which, with its parameters from $2 on
 */
export async function* endInSlices(
  dataSource: DataSource,
  consumer: string,
  [condition, ...parameters]: readonly [string, ...unknown[]],
  { endedReason, actor, why }: { readonly endedReason: string; readonly actor: string; readonly why: string },
): AsyncGenerator<Ended[], void> {
  const own = parameters.length + 2;
  let after: string | undefined = '0';
  while (after !== undefined) {
    const ended: Ended[] = await dataSource.query<Ended[]>(
      `WITH ended AS (
         UPDATE parked_messages SET state = 'discarded', ended_reason = $${own}, ${ENDED}
         WHERE id = ANY (ARRAY(
           SELECT id FROM parked_messages
           WHERE consumer = $1 AND (${condition}) AND state = 'parked' AND id > $${own + 1}
           ORDER BY id LIMIT ${SLICE} FOR UPDATE))
         RETURNING id, topic, type, reason
       ), recorded AS (
         INSERT INTO parked_actions (consumer, message, action, actor, reason)
         SELECT $1, id, 'discarded', $${own + 2}, $${own + 3} FROM ended ORDER BY id
       ) SELECT * FROM ended ORDER BY id`,
      [consumer, ...parameters, endedReason, after, actor, why],
    );
    yield ended;
    after = ended[SLICE - 1]?.id;
  }
}

/** Whether a record of this item's contract stands for all before it. */
export function saysAll(item: Item): boolean {
  return item.content.kind === 'event' && item.content.event.contract.topic.kind === 'state';
}

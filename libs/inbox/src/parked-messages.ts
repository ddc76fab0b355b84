import { replies } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';
import type { Item } from './item.js';
import { LARGEST_BYTES, pack } from './packing.js';
import { BY_ITSELF } from './parked-actions.js';

/** Seals bytes for whoever stores them and opens them again; what is parked, for a broken message may hold anything. */
export interface Seal {
  seal(bytes: Buffer): Buffer;
  open(sealed: Buffer): Buffer;
}

/** Of one topic that a recipient writes. What it sends beyond that is only counted: it must not fill our disk. */
export const MOST_OF_A_RECIPIENT = 10_000;

/** What goes to the database in one statement, in bytes; each takes twice that on its way. */
const AT_ONCE_BYTES = 2 * LARGEST_BYTES;

/** What an ended message keeps: not its content, and no hash of a key that may be anybody's name. */
export const ENDED = `sealed = NULL, key_hash = '', ended_at = now()`;

/** A message that is to be parked, with its stable reason. */
export interface Parking {
  readonly item: Item;
  readonly reason: string;
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
 */
export async function park(
  manager: EntityManager,
  consumer: string,
  parkings: readonly Parking[],
  seal: Seal,
  most = MOST_OF_A_RECIPIENT,
): Promise<void> {
  const topic = parkings[0]?.item.raw.topic;
  if (topic === undefined) return;
  let room =
    replies.slugOf(topic) === undefined ? Infinity : most - (await countParked(manager, consumer, topic, most));
  let rows: unknown[][] = [];
  let bytes = 0;
  const flush = async (): Promise<void> => {
    await insert(manager, consumer, topic, rows);
    rows = [];
    bytes = 0;
  };
  for (const { item, reason } of parkings) {
    if (room <= 0) {
      await countOnly(manager, consumer, topic, reason);
      continue;
    }
    room -= 1;
    const packed = pack(item.raw);
    const { content } = item;
    const [id, type] = content.kind === 'event' ? [content.event.meta.id, content.event.contract.type] : [null, null];
    const sealed = seal.seal(packed.bytes);
    rows.push([item.position, item.keyHash, holdsUp(item), id, type, reason, sealed, packed.size, packed.truncated]);
    bytes += sealed.length;
    if (bytes > AT_ONCE_BYTES) await flush();
  }
  await flush();
}

async function insert(manager: EntityManager, consumer: string, topic: string, rows: unknown[][]): Promise<void> {
  if (rows.length === 0) return;
  const columns = rows[0]?.map((_, at) => rows.map((row) => row[at])) ?? [];
  await manager.query(
    `INSERT INTO parked_messages
       (consumer, topic, position, key_hash, holds_up, event_id, type, reason, sealed, bytes, truncated)
     SELECT $1, $2, m.* FROM unnest($3::text[], $4::text[], $5::boolean[], $6::uuid[], $7::text[], $8::text[],
       $9::bytea[], $10::bigint[], $11::boolean[]) AS m
     ON CONFLICT (consumer, topic, position) DO UPDATE
       SET event_id = excluded.event_id, type = excluded.type, holds_up = excluded.holds_up
       WHERE parked_messages.state = 'parked' AND parked_messages.event_id IS NULL AND excluded.event_id IS NOT NULL`,
    [consumer, topic, ...columns],
  );
}

async function countParked(manager: EntityManager, consumer: string, topic: string, most: number): Promise<number> {
  const [row] = await manager.query<{ n: number }[]>(
    `SELECT count(*)::int AS n FROM
       (SELECT FROM parked_messages WHERE consumer = $1 AND topic = $2 AND state = 'parked' LIMIT $3) AS kept`,
    [consumer, topic, most],
  );
  return row?.n ?? 0;
}

/** One row per reason and hour. A message that comes twice is counted twice: it is a figure. */
async function countOnly(manager: EntityManager, consumer: string, topic: string, reason: string): Promise<void> {
  await manager.query(
    `INSERT INTO parked_messages
       (consumer, topic, position, key_hash, holds_up, reason, state, ended_at, ended_reason)
     VALUES ($1, $2, 'beyond/' || $3::text || '/' || to_char(now(), 'YYYY-MM-DD"T"HH24'), '', false, $3::text, 'discarded', now(),
       'too-many')
     ON CONFLICT (consumer, topic, position)
       DO UPDATE SET messages = parked_messages.messages + 1, ended_at = now()`,
    [consumer, topic, reason],
  );
}

/**
 * Of these keys of a topic, those that have parked messages, and whether these hold up later ones. Waits for a replay of
 * them that is under way, and keeps another out: what is parked behind them is parked before the replay looks again.
 */
export async function parkedKeys(
  manager: EntityManager,
  consumer: string,
  topic: string,
  keyHashes: readonly string[],
): Promise<Map<string, boolean>> {
  const rows = await manager.query<{ keyHash: string; holdsUp: boolean }[]>(
    `SELECT key_hash AS "keyHash", bool_or(holds_up) AS "holdsUp" FROM (
       SELECT key_hash, holds_up FROM parked_messages
       WHERE consumer = $1 AND topic = $2 AND key_hash = ANY ($3) AND state = 'parked' ORDER BY id FOR SHARE
     ) AS held GROUP BY key_hash`,
    [consumer, topic, keyHashes],
  );
  return new Map(rows.map(({ keyHash, holdsUp: held }) => [keyHash, held]));
}

/** A later record of a state topic says all: the parked ones of its key are done with. */
export async function supersede(
  manager: EntityManager,
  consumer: string,
  topic: string,
  keyHash: string,
): Promise<void> {
  await manager.query(
    `WITH ended AS (
       UPDATE parked_messages SET state = 'discarded', ended_reason = 'superseded', ${ENDED}
       WHERE consumer = $1 AND topic = $2 AND key_hash = $3 AND state = 'parked' RETURNING id)
     INSERT INTO parked_actions (consumer, message, action, actor, reason)
     SELECT $1, id, 'discarded', $4, 'superseded' FROM ended ORDER BY id`,
    [consumer, topic, keyHash, BY_ITSELF],
  );
}

/** Whether a record of this item's contract stands for all before it. */
export function saysAll(item: Item): boolean {
  return item.content.kind === 'event' && item.content.event.contract.topic.kind === 'state';
}

import type { RawMessage } from '@castiron/contracts';
import type { EntityManager } from 'typeorm';
import type { Item } from './item.js';

/** Seals bytes for whoever stores them and opens them again; what is parked, for a broken message may hold anything. */
export interface Seal {
  seal(bytes: Buffer): Buffer;
  open(sealed: Buffer): Buffer;
}

type Packed = [key: string | null, value: string | null, headers: Record<string, string>];

const base64 = (bytes: Buffer | string | null): string | null =>
  bytes === null ? null : Buffer.from(bytes).toString('base64');

function pack({ key, value, headers }: RawMessage): Buffer {
  const firsts: Record<string, string> = {};
  for (const [name, header] of Object.entries(headers ?? {})) {
    const first = Array.isArray(header) ? header[0] : header;
    if (first !== undefined) firsts[name] = Buffer.from(first).toString('base64');
  }
  return Buffer.from(JSON.stringify([base64(key), base64(value), firsts] satisfies Packed));
}

/** The message as it was, first values of its headers. */
export function unpack(topic: string, bytes: Buffer): RawMessage {
  const [key, value, headers] = JSON.parse(bytes.toString()) as Packed;
  const buffer = (text: string | null) => (text === null ? null : Buffer.from(text, 'base64'));
  const entries = Object.entries(headers).map(([name, text]) => [name, Buffer.from(text, 'base64')] as const);
  return { topic, key: buffer(key), value: buffer(value), headers: Object.fromEntries(entries) };
}

/**
 * Whether later messages of its key must wait behind it. On state topics a later one says all; a message that is no
 * event has no place in the order, and nothing could ever make it one.
 */
export function holdsUp({ content }: Item): boolean {
  if (content.kind === 'broken') return content.reason === 'unknown-type';
  return content.event.contract.topic.kind === 'events';
}

/** Keeps a message that cannot be handled, with a stable reason. A second time is the same. */
export async function park(
  manager: EntityManager,
  consumer: string,
  item: Item,
  reason: string,
  seal: Seal,
): Promise<void> {
  const { content, raw } = item;
  await manager.query(
    `INSERT INTO parked_messages (consumer, topic, position, key_hash, holds_up, event_id, type, reason, sealed)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    [
      consumer,
      raw.topic,
      item.position,
      item.keyHash,
      holdsUp(item),
      content.kind === 'event' ? content.event.meta.id : null,
      content.kind === 'event' ? content.event.contract.type : null,
      reason,
      seal.seal(pack(raw)),
    ],
  );
}

/** Of these keys of a topic, those that have parked messages, and whether these hold up later ones. */
export async function parkedKeys(
  manager: EntityManager,
  consumer: string,
  topic: string,
  keyHashes: readonly string[],
): Promise<Map<string, boolean>> {
  const rows = await manager.query<{ keyHash: string; holdsUp: boolean }[]>(
    `SELECT key_hash AS "keyHash", bool_or(holds_up) AS "holdsUp" FROM parked_messages
     WHERE consumer = $1 AND topic = $2 AND key_hash = ANY ($3) AND state = 'parked' GROUP BY key_hash`,
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
    `UPDATE parked_messages SET state = 'discarded', ended_reason = 'superseded', ended_at = now(), sealed = NULL
     WHERE consumer = $1 AND topic = $2 AND key_hash = $3 AND state = 'parked'`,
    [consumer, topic, keyHash],
  );
}

/** Whether a record of this item's contract stands for all before it. */
export function saysAll(item: Item): boolean {
  return item.content.kind === 'event' && item.content.event.contract.topic.kind === 'state';
}

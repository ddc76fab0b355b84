import type { Tx } from '@castiron/transactions';
import type { Item } from './item.js';
import { recordAction } from './parked-actions.js';
import { ENDED, lockParked, saysAll, supersedeOlder } from './parked-messages.js';

/** A parked message that can be read as an event by now. */
export type EventItem = Item & { readonly content: { readonly kind: 'event' } };

export interface Outcome {
  readonly outcome: 'handled' | 'discarded' | 'still-parked';
  /** Why not handled: a stable code. */
  readonly because?: string;
}

export interface Attempted extends Outcome {
  /** Ids of older messages that it ended along with itself. */
  readonly superseded?: readonly string[];
}

interface Attempt {
  /** The consumer. */
  readonly name: string;
  readonly actor: string;
  readonly row: { readonly id: string; readonly eventId: string | null };
  readonly item: EventItem;
}

/**
 * Handles a parked event in its transaction, or discards it where it was handled before or became illegitimate.
 * @returns undefined where somebody else ended it meanwhile
 * @throws what the handler throws
 */
export async function attempt({ name, actor, row, item }: Attempt, tx: Tx): Promise<Attempted | undefined> {
  const { event, subscription } = item.content;
  if (!(await lockParked(tx.manager, row.id, saysAll(item)))) return undefined;
  // Waits for whoever has it in work: asked before, it would be handled by both.
  const isSeen = await remember(name, item, tx);
  const duplicate = await isDuplicate(name, row.eventId, isSeen, item, tx);
  const because = duplicate ? 'duplicate' : await subscription.illegitimate(event, tx);
  if (because !== undefined) {
    await tx.manager.query(
      `UPDATE parked_messages SET state = 'discarded', ended_reason = $2, ${ENDED} WHERE id = $1`,
      [row.id, because],
    );
    await recordAction(tx.manager, name, { message: row.id, action: 'discarded', actor, reason: because });
    return { outcome: 'discarded', because };
  }
  // Replayed after this one, they would set its key back: a null value has no version by which a handler could tell.
  const superseded = saysAll(item) ? await supersedeOlder(tx.manager, name, row.id) : [];
  await tx.manager.query(
    `UPDATE parked_messages SET state = 'handled', ended_reason = 'replayed', event_id = $2, type = $3, ${ENDED}
     WHERE id = $1`,
    [row.id, event.meta.id, event.contract.type],
  );
  await subscription.handle([event], tx);
  await recordAction(tx.manager, name, { message: row.id, action: 'replayed', actor, reason: null });
  return { outcome: 'handled', superseded };
}

/** Parked for an unknown type, it was not counted as seen yet. @returns whether it was */
async function remember(consumer: string, { content: { event } }: EventItem, tx: Tx): Promise<boolean> {
  const added = await tx.manager.query<unknown[]>(
    `INSERT INTO inbox (event_id, consumer, topic) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING true`,
    [event.meta.id, consumer, event.topic],
  );
  return added.length === 0;
}

/** An event parked before its type was known may have come once more, and been parked or handled as what it is. */
async function isDuplicate(
  consumer: string,
  /** Known since it was parked; null where its type was unknown then. */
  eventId: string | null,
  isSeen: boolean,
  { content: { event } }: EventItem,
  tx: Tx,
): Promise<boolean> {
  const [found] = await tx.manager.query<{ handled: boolean; waits: boolean }[]>(
    `SELECT
       EXISTS (SELECT FROM parked_messages
         WHERE event_id = $2 AND consumer = $1 AND topic = $3 AND state = 'handled') AS handled,
       EXISTS (SELECT FROM parked_messages
         WHERE event_id = $2 AND consumer = $1 AND topic = $3 AND state = 'parked') AS waits`,
    [consumer, event.meta.id, event.topic],
  );
  if (found === undefined) return false;
  return found.handled || (eventId === null && isSeen && !found.waits);
}

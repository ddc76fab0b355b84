import type { DataSource, EntityManager } from 'typeorm';
import type { Page } from './parked-rows.js';

/** What was done with a parked message. A dry run names no message. */
export type ParkedAction = 'shown' | 'dry-run' | 'replayed' | 'replay-failed' | 'discarded';

/** Who ends messages that nobody looked at, or that a later one has made of no use. */
export const BY_ITSELF = 'inbox';

/** One line of the record of actions, which is only ever added to. */
export interface ActionRecord {
  readonly id: string;
  readonly message: string | null;
  readonly action: ParkedAction;
  /** The `sub` of whoever did it; `inbox` where time or a later message did. */
  readonly actor: string;
  readonly reason: string | null;
  readonly at: Date;
}

export async function recordAction(
  manager: EntityManager,
  consumer: string,
  entry: Pick<ActionRecord, 'message' | 'action' | 'actor' | 'reason'>,
): Promise<void> {
  await manager.query(
    `INSERT INTO parked_actions (consumer, message, action, actor, reason) VALUES ($1, $2, $3, $4, $5)`,
    [consumer, entry.message, entry.action, entry.actor, entry.reason],
  );
}

/** A page of the record, oldest first; of one message where its id is given. */
export function listActions(
  dataSource: DataSource,
  consumer: string,
  message: string | undefined,
  { after, limit }: Page,
): Promise<ActionRecord[]> {
  return dataSource.query(
    `SELECT id, message, action, actor, reason, at FROM parked_actions
     WHERE consumer = $1 AND ($2::bigint IS NULL OR message = $2) AND id > $3 ORDER BY id LIMIT $4`,
    [consumer, message ?? null, after ?? '0', limit],
  );
}

import { Refused } from '@castiron/failures';
import type { DataSource } from 'typeorm';
import { parametersOf, SELECTED, type Selection } from './parked-rows.js';

/** A key with parked messages that a replay is to take. */
export interface ReplayKey {
  readonly topic: string;
  readonly keyHash: string;
  /** The id of its first selected message, also where that was handled by the call that left the key unfinished. */
  readonly first: string;
  /** Where this call begins, of a key that another one left unfinished. */
  readonly from: string | null;
}

/**
 * Those of the selected messages, by the first of each; before them the one that a call left unfinished.
 * @param after how far that call came: the first message of its last key, and where it stopped in it, if it did
 * @throws Refused where that message has ended: its key went with it, and what is left of that cannot be found by it
 */
export async function keysOf(
  dataSource: DataSource,
  consumer: string,
  selection: Selection,
  after: string,
  limit: number,
): Promise<ReplayKey[]> {
  const [first, next] = after.split('-');
  const keys = await dataSource.query<ReplayKey[]>(
    // What was selected of the unfinished key may be handled by now, and what waits behind it not.
    `SELECT topic, key_hash AS "keyHash", CASE WHEN bool_or(id = $7) THEN $6::bigint ELSE min(id) END AS first,
       max(id) FILTER (WHERE id = $7) AS "from"
     FROM parked_messages WHERE consumer = $1 AND ((${SELECTED}) OR id = $7::bigint) AND state = 'parked'
     GROUP BY 1, 2 HAVING min(id) > $6 OR bool_or(id = $7) ORDER BY first LIMIT $8`,
    [consumer, ...parametersOf(selection), first, next ?? null, limit],
  );
  if (next === undefined || keys.some(({ from }) => from !== null)) return keys;
  const detail = 'The message at which it stopped is parked no more: choose anew what is, without "after".';
  throw new Refused({ kind: 'conflict', code: 'cannot-go-on', detail });
}

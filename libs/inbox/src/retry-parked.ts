import { isPassing } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { read } from './item.js';
import { holdsUp, unpack, type Seal } from './parked-messages.js';
import type { Subscriptions } from './subscriptions.js';

export interface RetryOutcome {
  readonly handled: number;
  readonly parked: number;
}

interface ParkedRow {
  readonly id: string;
  readonly topic: string;
  readonly position: string;
  readonly keyHash: string;
}

/** Handles parked messages again, each in a transaction of its own, in the order in which they came. */
export async function retryParked(
  options: { name: string; dataSource: DataSource; transactions: Transactions; seal: Seal },
  subscriptions: Subscriptions,
): Promise<RetryOutcome> {
  const rows = await options.dataSource.query<ParkedRow[]>(
    `SELECT id, topic, position, key_hash AS "keyHash" FROM parked_messages
     WHERE consumer = $1 AND state = 'parked' ORDER BY id`,
    [options.name],
  );
  let handled = 0;
  const failed = new Set<string>();
  for (const row of rows) {
    const key = `${row.topic} ${row.keyHash}`;
    if (failed.has(key)) continue;
    // One at a time: together they may be larger than the memory.
    const [stored] = await options.dataSource.query<{ sealed: Buffer | null }[]>(
      `SELECT sealed FROM parked_messages WHERE id = $1`,
      [row.id],
    );
    if (!stored?.sealed) continue;
    const item = read(unpack(row.topic, options.seal.open(stored.sealed)), row.position, subscriptions);
    if (item?.content.kind !== 'event') {
      if (item !== undefined && holdsUp(item)) failed.add(key);
      continue;
    }
    const { event, subscription } = item.content;
    try {
      await options.transactions.run(subscription.keys(event), async (tx) => {
        const [, taken] = await tx.manager.query<[unknown, number]>(
          `UPDATE parked_messages SET state = 'handled', ended_reason = 'retried', ended_at = now(), sealed = NULL
           WHERE id = $1 AND state = 'parked'`,
          [row.id],
        );
        if (taken === 0) return;
        // Parked for an unknown type, it was not counted as seen yet.
        await tx.manager.query(
          `INSERT INTO inbox (event_id, consumer, topic) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
          [event.meta.id, options.name, row.topic],
        );
        await subscription.handle([event], tx);
      });
      handled += 1;
    } catch (error) {
      if (isPassing(error)) throw error;
      failed.add(key);
    }
  }
  return { handled, parked: rows.length - handled };
}

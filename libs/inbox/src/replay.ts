import { isPassing } from '@castiron/failures';
import type { Transactions, Tx } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { parkingReason } from './parking-reason.js';
import { read, type Item } from './item.js';
import { messageOf, unpack } from './packing.js';
import { recordAction } from './parked-actions.js';
import { ENDED, type Seal } from './parked-messages.js';
import { parametersOf, SELECTED, type Selection } from './parked-rows.js';
import type { Subscriptions } from './subscriptions.js';

/** What became of one message, or in a dry run what would become of it. */
export interface Replayed {
  readonly id: string;
  readonly topic: string;
  readonly outcome: 'handled' | 'discarded' | 'still-parked';
  /** Why not handled: a stable code. */
  readonly because?: string;
}

export interface Replay {
  readonly dryRun: boolean;
  readonly messages: readonly Replayed[];
  /** There are more than one call takes. */
  readonly more: boolean;
}

export interface ReplayOptions {
  readonly name: string;
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly seal: Seal;
}

interface Key {
  readonly topic: string;
  readonly keyHash: string;
}

interface Row {
  readonly id: string;
  readonly position: string;
  readonly eventId: string | null;
  readonly reason: string;
  readonly truncated: boolean;
  readonly holdsUp: boolean;
  readonly matches: boolean;
}

type Outcome = Pick<Replayed, 'outcome' | 'because'>;
type EventItem = Item & { readonly content: { readonly kind: 'event' } };

/** Messages that one call takes, and of one key that a dry run handles in its transaction. */
const MOST = 500;
const MOST_OF_A_KEY = 100;

const stillParked = (because: string): Outcome => ({ outcome: 'still-parked', because });
const isEvent = (item: Item | undefined): item is EventItem => item?.content.kind === 'event';

/** Takes back what a dry run did. */
class DryRunOver extends Error {}

/** Handles parked messages again: in order per key, each once, whoever else does so at the same time. */
export class Replayer {
  constructor(
    private readonly options: ReplayOptions,
    private readonly subscriptions: Subscriptions,
  ) {}

  /**
   * Takes the selected messages and what waits behind them. A key goes on as far as its first message that still fails;
   * behind one that is not selected nothing goes. A dry run does all of it, and takes it back.
   * @throws what may pass; what was handled by then stays so
   */
  async replay(selection: Selection, dryRun: boolean, actor: string): Promise<Replay> {
    const { dataSource, name } = this.options;
    const keys = await dataSource.query<Key[]>(
      `SELECT topic, key_hash AS "keyHash" FROM parked_messages
       WHERE consumer = $1 AND ${SELECTED} AND state = 'parked' GROUP BY 1, 2 ORDER BY min(id) LIMIT $6`,
      [name, ...parametersOf(selection), MOST + 1],
    );
    const messages: Replayed[] = [];
    let more = false;
    for (const key of keys) {
      if (messages.length >= MOST) {
        more = true;
        break;
      }
      messages.push(...(await (dryRun ? this.tryKey(key, selection, actor) : this.replayKey(key, selection, actor))));
    }
    if (dryRun) {
      const count = (outcome: string) => messages.filter((message) => message.outcome === outcome).length;
      const reason = `would be: ${count('handled')} handled, ${count('discarded')} discarded, ${count('still-parked')} still parked`;
      await recordAction(dataSource.manager, name, { message: null, action: 'dry-run', actor, reason });
    }
    return { dryRun, messages, more };
  }

  private async replayKey(key: Key, selection: Selection, actor: string): Promise<Replayed[]> {
    const { dataSource, name, transactions } = this.options;
    return this.walk(key, selection, Infinity, async (row) => {
      const item = await this.itemOf(row, key);
      if (!isEvent(item)) {
        const because = item?.content.kind === 'broken' ? item.content.reason : 'passed-over';
        await recordAction(dataSource.manager, name, {
          message: row.id,
          action: 'replay-failed',
          actor,
          reason: because,
        });
        return stillParked(because);
      }
      try {
        const { event, subscription } = item.content;
        return await transactions.run(subscription.keys(event), (tx) => this.attempt(row, item, actor, tx));
      } catch (error) {
        if (isPassing(error)) throw error;
        const reason = parkingReason(error) ?? 'keeps-failing';
        await recordAction(dataSource.manager, name, { message: row.id, action: 'replay-failed', actor, reason });
        return stillParked(reason);
      }
    });
  }

  private async tryKey(key: Key, selection: Selection, actor: string): Promise<Replayed[]> {
    let tried: Replayed[] = [];
    try {
      await this.options.transactions.run([], async (tx) => {
        tried = await this.walk(key, selection, MOST_OF_A_KEY, async (row) => {
          const item = await this.itemOf(row, key);
          if (!isEvent(item)) return stillParked(item?.content.kind === 'broken' ? item.content.reason : 'passed-over');
          const { event, subscription } = item.content;
          try {
            // Asked for as the work meets them: the transaction starts again with the keys it lacked.
            tx.claim(subscription.keys(event));
            return await tx.savepoint(() => this.attempt(row, item, actor, tx));
          } catch (error) {
            if (isPassing(error)) throw error;
            return stillParked(parkingReason(error) ?? 'keeps-failing');
          }
        });
        throw new DryRunOver();
      });
    } catch (error) {
      if (!(error instanceof DryRunOver)) throw error;
    }
    return tried;
  }

  /** Goes through the messages of a key in their order, those too that are parked while it does. */
  private async walk(
    key: Key,
    selection: Selection,
    most: number,
    attempt: (row: Row) => Promise<Outcome | undefined>,
  ): Promise<Replayed[]> {
    const done: Replayed[] = [];
    let [after, taking, held, tried] = ['0', false, false, 0];
    for (;;) {
      const rows = await this.rowsOf(key, selection, after);
      if (rows.length === 0) return done;
      for (const row of rows) {
        after = row.id;
        taking ||= row.matches;
        const chosen = row.matches || (taking && row.reason === 'behind-parked');
        let outcome: Outcome | undefined;
        if (row.truncated) outcome = stillParked('too-large-to-replay');
        else if (held && !(await this.overtakes(row, key))) outcome = stillParked('behind-parked');
        else if (tried >= most) outcome = stillParked('not-tried');
        else if (chosen) {
          tried += 1;
          outcome = await attempt(row);
        }
        if (chosen && outcome !== undefined) done.push({ id: row.id, topic: key.topic, ...outcome });
        if (!chosen || outcome?.outcome === 'still-parked') held ||= row.holdsUp && !row.truncated;
      }
    }
  }

  private rowsOf({ topic, keyHash }: Key, selection: Selection, after: string): Promise<Row[]> {
    const { dataSource, name } = this.options;
    return dataSource.query(
      `SELECT id, position, event_id AS "eventId", reason, truncated, holds_up AS "holdsUp", (${SELECTED}) AS matches
       FROM parked_messages
       WHERE consumer = $1 AND topic = $6 AND key_hash = $7 AND id > $8 AND state = 'parked' ORDER BY id LIMIT ${MOST}`,
      [name, ...parametersOf(selection), topic, keyHash, after],
    );
  }

  private async overtakes(row: Row, key: Key): Promise<boolean> {
    const item = await this.itemOf(row, key);
    return isEvent(item) && item.content.subscription.overtakes;
  }

  /** One at a time: together they may be larger than the memory. Undefined where it is gone or passed over by now. */
  private async itemOf({ id, position }: Row, { topic }: Key): Promise<Item | undefined> {
    const [stored] = await this.options.dataSource.query<{ sealed: Buffer | null }[]>(
      `SELECT sealed FROM parked_messages WHERE id = $1`,
      [id],
    );
    if (!stored?.sealed) return undefined;
    return read(messageOf(topic, unpack(this.options.seal.open(stored.sealed))), position, this.subscriptions);
  }

  /** @returns undefined where somebody else ended it meanwhile */
  private async attempt(row: Row, item: EventItem, actor: string, tx: Tx): Promise<Outcome | undefined> {
    const { name } = this.options;
    const { event, subscription } = item.content;
    const locked = await tx.manager.query<unknown[]>(
      `SELECT FROM parked_messages WHERE id = $1 AND state = 'parked' FOR UPDATE`,
      [row.id],
    );
    if (locked.length === 0) return undefined;
    const duplicate = await this.isDuplicate(row, item, tx);
    const because = duplicate ? 'duplicate' : await subscription.illegitimate(event, tx);
    if (because !== undefined) {
      await tx.manager.query(
        `UPDATE parked_messages SET state = 'discarded', ended_reason = $2, ${ENDED} WHERE id = $1`,
        [row.id, because],
      );
      await recordAction(tx.manager, name, { message: row.id, action: 'discarded', actor, reason: because });
      return { outcome: 'discarded', because };
    }
    await tx.manager.query(
      `UPDATE parked_messages SET state = 'handled', ended_reason = 'replayed', event_id = $2, type = $3, ${ENDED}
       WHERE id = $1`,
      [row.id, event.meta.id, event.contract.type],
    );
    // Parked for an unknown type, it was not counted as seen yet.
    await tx.manager.query(`INSERT INTO inbox (event_id, consumer, topic) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, [
      event.meta.id,
      name,
      event.topic,
    ]);
    await subscription.handle([event], tx);
    await recordAction(tx.manager, name, { message: row.id, action: 'replayed', actor, reason: null });
    return { outcome: 'handled' };
  }

  /** An event parked before its type was known may have come once more, and been parked or handled as what it is. */
  private async isDuplicate(row: Row, { content: { event } }: EventItem, tx: Tx): Promise<boolean> {
    const [found] = await tx.manager.query<{ handled: boolean; seen: boolean; waits: boolean }[]>(
      `SELECT
         EXISTS (SELECT FROM parked_messages
           WHERE event_id = $2 AND consumer = $1 AND topic = $3 AND state = 'handled') AS handled,
         EXISTS (SELECT FROM inbox WHERE event_id = $2 AND consumer = $1 AND topic = $3) AS seen,
         EXISTS (SELECT FROM parked_messages
           WHERE event_id = $2 AND consumer = $1 AND topic = $3 AND state = 'parked') AS waits`,
      [this.options.name, event.meta.id, event.topic],
    );
    if (found === undefined) return false;
    return found.handled || (row.eventId === null && found.seen && !found.waits);
  }
}

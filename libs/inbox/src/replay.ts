import { isPassing, problemOf, tookTooLong } from '@castiron/failures';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { attempt, type Attempted, type EventItem, type Outcome } from './attempt-parked.js';
import { read, type Item } from './item.js';
import { endLockWaitsFirst } from './lock-waits.js';
import { messageOf, unpack } from './packing.js';
import { recordAction } from './parked-actions.js';
import { saysAll, type Seal } from './parked-messages.js';
import { parametersOf, SELECTED, type Selection } from './parked-rows.js';
import { parkingReason } from './parking-reason.js';
import { keysOf, type ReplayKey } from './replay-keys.js';
import type { Subscriptions } from './subscriptions.js';

/** What became of one message, or in a dry run what would become of it. */
export interface Replayed extends Outcome {
  readonly id: string;
  readonly topic: string;
}

export interface Replay {
  readonly dryRun: boolean;
  readonly messages: readonly Replayed[];
  /** There are more than one call takes; the next goes on after `after`. */
  readonly more: boolean;
  /** How far this call came: the first message of its last key, and where it stopped in a key that it left unfinished. */
  readonly after: string;
}

export interface ReplayOptions {
  readonly name: string;
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly seal: Seal;
}

interface Row {
  readonly id: string;
  readonly position: string;
  readonly eventId: string | null;
  readonly reason: string;
  readonly truncated: boolean;
  readonly holdsUp: boolean;
  readonly matches: boolean;
  readonly isTaken: boolean;
}

/** Why a message is not even tried. */
type NotTried = 'too-large-to-replay' | 'behind-parked';

/** As {@link attempt}: undefined where somebody else ended it meanwhile. */
type Handle = (row: Row, notTried?: NotTried) => Promise<Attempted | undefined>;

/** What became of a key's messages, as far as was looked. */
interface Walked {
  readonly done: readonly Replayed[];
  /** Where it stopped, unless it came to the end. */
  readonly next?: string;
}

/** Messages that one call takes, and of one key that a dry run handles in its transaction. */
const MOST = 500;
const MOST_OF_A_DRY_KEY = 100;

const stillParked = (because: string): Outcome => ({ outcome: 'still-parked', because });
/** What is read of a parked message today, or why nothing is: its sealing key is no more, or nobody handles it by now. */
type Read = Item | 'unreadable' | 'passed-over';

const isEvent = (item: Read | NotTried): item is EventItem => typeof item !== 'string' && item.content.kind === 'event';

const whyNoEvent = (item: Read | NotTried): string => {
  if (typeof item === 'string') return item;
  return item.content.kind === 'broken' ? item.content.reason : 'passed-over';
};

/** What may pass, and says nothing of the message: that its handler takes too long does. */
const mayPass = (error: unknown): boolean => isPassing(error) && !tookTooLong(error);

const whyNotHandled = (error: unknown): string =>
  parkingReason(error) ?? (tookTooLong(error) ? 'takes-too-long' : 'keeps-failing');

/** As whoever asked for the replay is told it. */
const codeOf = (error: unknown): string => problemOf(error).body.code;

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
   * @param after of the call before, so that what fails again keeps nothing from its turn
   * @throws what may pass, recorded like what fails; what was handled by then stays so; Refused as {@link keysOf}
   */
  async replay(selection: Selection, dryRun: boolean, actor: string, after = '0'): Promise<Replay> {
    const { dataSource, name } = this.options;
    const keys = await keysOf(dataSource, name, selection, after, MOST + 1);
    const messages: Replayed[] = [];
    let [more, reached] = [keys.length > MOST, after];
    for (const key of keys) {
      if (messages.length >= MOST) {
        more = true;
        break;
      }
      const walked = await (dryRun ? this.tryKey(key, selection, actor) : this.replayKey(key, selection, actor));
      messages.push(...walked.done);
      more ||= walked.next !== undefined;
      // A dry run knows no more of a key than the beginning: what became of that, it took back.
      reached = walked.next !== undefined && !dryRun ? `${key.first}-${walked.next}` : key.first;
    }
    if (dryRun) {
      const count = (outcome: string) => messages.filter((message) => message.outcome === outcome).length;
      const reason = `would be: ${count('handled')} handled, ${count('discarded')} discarded, ${count('still-parked')} still parked`;
      await recordAction(dataSource.manager, name, { message: null, action: 'dry-run', actor, reason });
    }
    return { dryRun, messages, more, after: reached };
  }

  private async replayKey(key: ReplayKey, selection: Selection, actor: string): Promise<Walked> {
    const { dataSource, name, transactions } = this.options;
    return this.walk(key, selection, MOST, async (row, notTried) => {
      const item = notTried ?? (await this.itemOf(row, key));
      if (item === undefined) return undefined;
      if (!isEvent(item)) {
        const reason = whyNoEvent(item);
        await recordAction(dataSource.manager, name, { message: row.id, action: 'replay-failed', actor, reason });
        return stillParked(reason);
      }
      try {
        const { event, subscription } = item.content;
        return await transactions.run(subscription.keys(event), async (tx) => {
          await endLockWaitsFirst(tx);
          return attempt({ name, actor, row, item }, tx);
        });
      } catch (error) {
        if (mayPass(error)) {
          await this.recordIfPossible({ message: row.id, action: 'replay-failed', actor, reason: codeOf(error) });
          throw error;
        }
        const reason = whyNotHandled(error);
        await recordAction(dataSource.manager, name, { message: row.id, action: 'replay-failed', actor, reason });
        return stillParked(reason);
      }
    });
  }

  private async tryKey(key: ReplayKey, selection: Selection, actor: string): Promise<Walked> {
    const { name, transactions } = this.options;
    let walked: Walked = { done: [] };
    try {
      await transactions.run([], async (tx) => {
        await endLockWaitsFirst(tx);
        walked = await this.walk(key, selection, MOST_OF_A_DRY_KEY, async (row, notTried) => {
          const item = notTried ?? (await this.itemOf(row, key));
          if (item === undefined) return undefined;
          if (!isEvent(item)) return stillParked(whyNoEvent(item));
          let lacksKeys = false;
          try {
            const keys = item.content.subscription.keys(item.content.event);
            lacksKeys = true;
            tx.claim(keys);
            lacksKeys = false;
            return await tx.savepoint(() => attempt({ name, actor, row, item }, tx));
          } catch (error) {
            // The transaction starts again with the keys that all of them ask for.
            if (lacksKeys) return undefined;
            if (mayPass(error)) throw error;
            return stillParked(whyNotHandled(error));
          }
        });
        throw new DryRunOver();
      });
    } catch (error) {
      if (!(error instanceof DryRunOver)) {
        await this.recordIfPossible({
          message: null,
          action: 'dry-run',
          actor,
          reason: `broken off: ${codeOf(error)}`,
        });
        throw error;
      }
    }
    return walked;
  }

  /** What broke a replay off may be the database, which keeps the record too. */
  private async recordIfPossible(entry: Parameters<typeof recordAction>[2]): Promise<void> {
    await recordAction(this.options.dataSource.manager, this.options.name, entry).catch(() => undefined);
  }

  /** Goes through the messages of a key in their order, those too that are parked while it does. */
  private async walk(key: ReplayKey, selection: Selection, most: number, handle: Handle): Promise<Walked> {
    const done = new Map<string, Replayed>();
    const { topic } = key;
    let [last, taking, held] = ['0', key.from !== null, false];
    for (;;) {
      const rows = await this.rowsOf(key, selection, last);
      if (rows.length === 0) return { done: [...done.values()] };
      for (const row of rows) {
        if (done.size >= most) return { done: [...done.values()], next: row.id };
        last = row.id;
        taking ||= row.matches;
        const chosen = !row.isTaken && (row.matches || (taking && row.reason === 'behind-parked'));
        const attempted = chosen ? await this.outcomeOf(row, key, held, handle) : undefined;
        if (attempted !== undefined) {
          const { superseded = [], ...outcome } = attempted;
          done.set(row.id, { id: row.id, topic, ...outcome });
          for (const id of superseded.filter((one) => done.has(one)))
            done.set(id, { id, topic, outcome: 'discarded', because: 'superseded' });
        }
        if (!chosen || attempted?.outcome === 'still-parked') held ||= row.holdsUp && !row.truncated;
      }
    }
  }

  private async outcomeOf(row: Row, key: ReplayKey, held: boolean, handle: Handle): Promise<Attempted | undefined> {
    if (row.truncated) return handle(row, 'too-large-to-replay');
    if (held) {
      const item = await this.itemOf(row, key);
      if (item === undefined) return undefined;
      if (isEvent(item) && !item.content.subscription.overtakes && !saysAll(item)) return handle(row, 'behind-parked');
    }
    return handle(row);
  }

  private rowsOf({ topic, keyHash, from }: ReplayKey, selection: Selection, after: string): Promise<Row[]> {
    const { dataSource, name } = this.options;
    return dataSource.query(
      `SELECT id, position, event_id AS "eventId", reason, truncated, holds_up AS "holdsUp", (${SELECTED}) AS matches,
         id < $9 AS "isTaken"
       FROM parked_messages
       WHERE consumer = $1 AND topic = $6 AND key_hash = $7 AND id > $8 AND state = 'parked' ORDER BY id LIMIT ${MOST}`,
      [name, ...parametersOf(selection), topic, keyHash, after, from ?? '0'],
    );
  }

  /**
   * One at a time: together they may be larger than the memory.
   * @returns undefined where it ended meanwhile
   */
  private async itemOf({ id, position }: Row, { topic }: ReplayKey): Promise<Read | undefined> {
    const [stored] = await this.options.dataSource.query<{ sealed: Buffer | null }[]>(
      `SELECT sealed FROM parked_messages WHERE id = $1 AND state = 'parked'`,
      [id],
    );
    if (stored === undefined) return undefined;
    try {
      const packed = unpack(this.options.seal.open(stored.sealed ?? Buffer.alloc(0)));
      return read(messageOf(topic, packed), { position }, this.subscriptions) ?? 'passed-over';
    } catch {
      return 'unreadable';
    }
  }
}

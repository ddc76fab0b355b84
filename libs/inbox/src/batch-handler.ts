import { setTimeout as pause } from 'node:timers/promises';
import { FETCH_BYTES, type ReceivedEvent } from '@castiron/contracts';
import { isPassing, NoRoom, tookTooLong } from '@castiron/failures';
import { isCorrelationId, runWithCorrelation, type Logger, type Metrics } from '@castiron/observability';
import { MoreKeysNeeded, type Transactions, type Tx } from '@castiron/transactions';
import type { Item } from './item.js';
import { saysAll, type Seal } from './parked-messages.js';
import { parkingReason } from './parking-reason.js';
import { Parkings } from './parkings.js';
import type { Subscription } from './subscription.js';

/** Of one transaction: messages, their bytes (a handler may write them all at once), and keys, with room for further claims. */
const CHUNK = 500;
const CHUNK_KEYS = 128;
/** Into how many parts one that took too long is cut: each further cut takes as long again. */
const SLOW_PARTS = 16;
/** How often a message that fails for no passing reason is tried before it is parked. */
const TRIES = 3;
/** How often, with pauses, one is tried whose handler the database gives up each time. */
const SLOW_TRIES = 4;
const SLOW_PAUSE_MS = 1_000;
/** Waiting for a lock is to end before the statement does: it says something of others, and nothing of the message. */
const LOCK_TIMEOUT = `SELECT set_config('lock_timeout', (setting::int * 2 / 3)::text, true)
  FROM pg_settings WHERE name = 'statement_timeout'`;

/** What whoever delivers messages wants to know, and says, while they are handled. */
export interface Delivery {
  /** Asked before each transaction; false ends the work, what is left comes again. */
  goesOn(): Promise<boolean>;
  /** Told after each call of a handler: of one that hangs nothing is heard. */
  isAlive(): void;
}

export interface BatchHandlerOptions {
  readonly name: string;
  readonly transactions: Transactions;
  readonly seal: Seal;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
  /** How many messages of one recipient's topic may be parked at a time. */
  readonly mostOfARecipient?: number | undefined;
}

function keysOf(item: Item): readonly string[] | undefined {
  try {
    return item.content.kind === 'event' ? item.content.subscription.keys(item.content.event) : [];
  } catch {
    return undefined;
  }
}

/** Cuts a batch into transactions, its order kept. */
function chunksOf(items: readonly Item[]): Item[][] {
  const chunks: Item[][] = [];
  let [bytes, keys] = [0, new Set<string>()];
  for (const item of items) {
    const own = keysOf(item) ?? [];
    let chunk = chunks.at(-1);
    const isFull = chunk?.length === CHUNK || bytes + item.bytes > FETCH_BYTES || keys.size + own.length > CHUNK_KEYS;
    if (chunk === undefined || isFull) {
      chunks.push((chunk = []));
      [bytes, keys] = [0, new Set()];
    }
    chunk.push(item);
    bytes += item.bytes;
    for (const key of own) keys.add(key);
  }
  return chunks;
}

/** Gets messages of one topic into the database: exactly once each, in order per key, whatever one of them does. */
export class BatchHandler {
  constructor(private readonly options: BatchHandlerOptions) {}

  /**
   * @throws what may pass (try again with the same items: those handled are skipped), and bugs of the inbox itself. Either
   *   way nothing is dropped: what is neither handled nor parked comes again.
   */
  async handle(items: readonly Item[], delivery: Delivery): Promise<void> {
    const waiting = new Waiting();
    for (const chunk of chunksOf(items)) if (!(await this.together(chunk, delivery, waiting))) return;
    waiting.assertNone();
  }

  /**
   * Where one of them fails, each half goes by itself, down to the one: the others lose nothing by it, in few
   * transactions. So do smaller parts where all take too long.
   * @returns whether to go on
   */
  private async together(given: readonly Item[], delivery: Delivery, waiting: Waiting): Promise<boolean> {
    if (!(await delivery.goesOn())) return false;
    const items = given.filter((item) => !waiting.holdsUp(item));
    const [first] = items;
    if (items.length === 1 && first !== undefined) {
      return this.alone(first, delivery).catch((error: unknown) => {
        waiting.add(first, error);
        return true;
      });
    }
    try {
      const keys = items.flatMap((item) => keysOf(item) ?? []);
      await this.options.transactions.run(keys, (tx) => this.inTransaction(items, tx, delivery));
      return true;
    } catch (error) {
      if (isPassing(error) && !(error instanceof NoRoom) && !tookTooLong(error)) throw error;
      const size = Math.ceil(items.length / (tookTooLong(error) ? SLOW_PARTS : 2));
      for (let at = 0; at < items.length; at += size)
        if (!(await this.together(items.slice(at, at + size), delivery, waiting))) return false;
      return true;
    }
  }

  /**
   * Parks it where it fails for a reason of its own. That it takes too long counts as one where the handler does: what
   * went before it in the same transaction shows that the database answers.
   * @returns whether to go on
   */
  private async alone(item: Item, delivery: Delivery): Promise<boolean> {
    const { transactions } = this.options;
    for (let attempt = 1; ; attempt += 1) {
      let ofHandler: unknown;
      try {
        const keys = item.content.kind === 'event' ? item.content.subscription.keys(item.content.event) : [];
        await transactions.run(keys, async (tx) => {
          await tx.manager.query(LOCK_TIMEOUT);
          await this.inTransaction([item], tx, delivery, (error) => (ofHandler = error));
        });
        return true;
      } catch (error) {
        const isSlow = error === ofHandler && tookTooLong(error);
        if (isPassing(error) && !isSlow) throw error;
        const [most, last] = isSlow ? [SLOW_TRIES, 'takes-too-long'] : [TRIES, 'keeps-failing'];
        const reason = parkingReason(error) ?? (attempt < most ? undefined : last);
        if (reason !== undefined) {
          await this.parkOne(item, reason, error);
          return true;
        }
        if (isSlow) await pause(SLOW_PAUSE_MS);
        if (!(await delivery.goesOn())) return false;
      }
    }
  }

  private async parkOne(item: Item, reason: string, cause: unknown): Promise<void> {
    const { logger, transactions } = this.options;
    logger.error({ err: cause, reason, topic: item.raw.topic, position: item.position }, 'a message is parked');
    await transactions.run([], async (tx) => {
      const seen = item.content.kind === 'event' && (await this.unseen([item], tx)).size === 0;
      if (seen) return;
      const parkings = await this.parkings([item], item.raw.topic, tx);
      parkings.add({ item, reason });
      await parkings.write();
    });
    this.countParked(reason);
  }

  private async inTransaction(
    items: readonly Item[],
    tx: Tx,
    delivery: Delivery,
    onHandlerError: (error: unknown) => void = () => undefined,
  ): Promise<void> {
    const topic = items[0]?.raw.topic;
    if (topic === undefined) return;
    const unseen = await this.unseen(items, tx);
    const parkings = await this.parkings(items, topic, tx);
    const run = new Run(tx, delivery, onHandlerError);
    for (const item of items) {
      const { content, keyHash } = item;
      if (content.kind === 'broken') {
        parkings.add({ item, reason: content.reason });
        tx.afterCommit(() => this.noticeBroken(item, content.reason));
        continue;
      }
      // Also for the second copy within this chunk.
      if (!unseen.delete(content.event.meta.id)) continue;
      if (saysAll(item)) {
        await parkings.supersede(keyHash);
      } else if (!content.subscription.overtakes && (await parkings.holdUp(keyHash))) {
        parkings.add({ item, reason: 'behind-parked' });
        tx.afterCommit(() => this.countParked('behind-parked'));
        continue;
      }
      await run.add(content.event, content.subscription);
    }
    await run.flush();
    await parkings.write();
    tx.afterCommit(() =>
      this.options.metrics
        ?.counter('castiron_inbox_messages_total', 'Messages that went through the inbox', ['topic'])
        .inc({ topic }, items.length),
    );
  }

  /** Remembers the ids, first thing in the transaction, so that whoever has the same message waits. @returns the new ones */
  private async unseen(items: readonly Item[], tx: Tx): Promise<Set<string>> {
    const [topic] = items.map(({ raw }) => raw.topic);
    const ids = items.flatMap(({ content }) => (content.kind === 'event' ? [content.event.meta.id] : []));
    if (ids.length === 0) return new Set();
    // The topic belongs to the identity: a recipient chooses the ids on its own topic, and must not hit another's.
    const rows = await tx.manager.query<{ id: string }[]>(
      `INSERT INTO inbox (event_id, consumer, topic)
       SELECT DISTINCT id, $2, $3 FROM unnest($1::uuid[]) AS id ORDER BY id
       ON CONFLICT DO NOTHING RETURNING event_id AS id`,
      [ids, this.options.name, topic],
    );
    return new Set(rows.map(({ id }) => id));
  }

  private parkings(items: readonly Item[], topic: string, { manager }: Tx): Promise<Parkings> {
    const { name: consumer, seal, mostOfARecipient } = this.options;
    const keyHashes = new Set(items.map(({ keyHash }) => keyHash));
    return Parkings.of({ manager, consumer, topic, seal, mostOfARecipient }, keyHashes);
  }

  private noticeBroken(item: Item, reason: string): void {
    this.options.logger.warn(
      { reason, topic: item.raw.topic, position: item.position },
      'a message is no event and is parked',
    );
    this.countParked(reason);
  }

  private countParked(reason: string): void {
    this.options.metrics
      ?.counter('castiron_inbox_parked_total', 'Messages that were parked', ['reason'])
      .inc({ reason });
  }
}

/** Keys whose next message adds something to an outbox that is full: it comes again, and what follows it waits for it. */
class Waiting {
  private readonly keys = new Set<string>();
  private cause: NoRoom | undefined;

  /** @throws the error itself where it is another one */
  add({ keyHash }: Item, error: unknown): void {
    if (!(error instanceof NoRoom)) throw error;
    this.cause = error;
    this.keys.add(keyHash);
  }

  holdsUp({ content, keyHash }: Item): boolean {
    if (content.kind === 'event' && content.subscription.overtakes) return false;
    return this.keys.has(keyHash);
  }

  assertNone(): void {
    if (this.cause !== undefined) throw this.cause;
  }
}

/** Neighbours that one handler takes at once. */
class Run {
  private events: ReceivedEvent[] = [];
  private subscription: Subscription | undefined;

  constructor(
    private readonly tx: Tx,
    private readonly delivery: Delivery,
    private readonly onError: (error: unknown) => void,
  ) {}

  async add(event: ReceivedEvent, subscription: Subscription): Promise<void> {
    if (this.subscription !== subscription || !subscription.batches) await this.flush();
    this.subscription = subscription;
    this.events.push(event);
  }

  async flush(): Promise<void> {
    const [events, subscription] = [this.events, this.subscription];
    const [first] = events;
    if (first === undefined || subscription === undefined) return;
    this.events = [];
    // Untrusted, for it may come from a recipient: what does not look like an id of ours gives way to the event's.
    const { correlationId, id } = first.meta;
    try {
      await runWithCorrelation(isCorrelationId(correlationId) ? correlationId : id, () =>
        subscription.handle(events, this.tx),
      );
    } catch (error) {
      // Those that follow are asked for their keys too: all start again, once, instead of once for each.
      if (error instanceof MoreKeysNeeded) return;
      this.onError(error);
      throw error;
    } finally {
      this.delivery.isAlive();
    }
  }
}

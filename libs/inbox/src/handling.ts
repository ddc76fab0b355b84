import type { ReceivedEvent } from '@castiron/contracts';
import { isCorrelationId, runWithCorrelation, type Logger, type Metrics } from '@castiron/observability';
import { MoreKeysNeeded, type Tx } from '@castiron/transactions';
import type { Item } from './item.js';
import { holdsUp, saysAll, type Most, type Parking, type Seal } from './parked-messages.js';
import { Parkings } from './parkings.js';
import type { Progress } from './progress.js';
import type { Subscription } from './subscription.js';

/** What whoever delivers messages wants to know, and says, while they are handled. */
export interface Delivery {
  /**
   * Asked before each transaction; false ends the work, what is left comes again.
   * @param progress none in the midst of one message: left there, one that always takes too long would never be parked
   */
  goesOn(progress?: Progress): Promise<boolean>;
  /** Told after each call of a handler: of one that hangs nothing is heard. */
  alive(): void;
}

export interface HandlingOptions {
  readonly name: string;
  readonly seal: Seal;
  readonly logger: Logger;
  readonly metrics?: Metrics | undefined;
  /** How much of one recipient's topic may be parked at a time. */
  readonly mostOfARecipient?: Partial<Most> | undefined;
}

const TAKEN_IN = ['castiron_inbox_messages_total', 'Messages taken in, also those that come again', ['topic']] as const;
const PARKED = [
  'castiron_inbox_parked_total',
  'Messages that were parked, and those of a recipient that are only counted',
  ['reason'],
] as const;

/** What one transaction does with the messages that it is given: their ids, handlers, and what is parked of them. */
export class Handling {
  constructor(private readonly options: HandlingOptions) {}

  /**
   * Messages of one topic, in order.
   * @returns whether any of them is new
   */
  async handle(
    items: readonly Item[],
    tx: Tx,
    delivery: Delivery,
    onHandlerError: (error: unknown) => void = () => undefined,
  ): Promise<boolean> {
    const topic = items[0]?.raw.topic;
    if (topic === undefined) return false;
    const unseen = await this.unseen(items, tx);
    const isAnyUnseen = unseen.size > 0;
    const parkings = await this.parkings(items, topic, tx);
    const run = new Run(tx, delivery, onHandlerError);
    for (const item of items) {
      const { content } = item;
      if (content.kind === 'broken') {
        parkings.add({ item, reason: content.reason });
        continue;
      }
      // Also for the second copy within this chunk.
      if (!unseen.delete(content.event.meta.id)) continue;
      if (saysAll(item)) {
        await parkings.supersede(item);
      } else if (!content.subscription.overtakes && (await parkings.holdUp(item.keyHash))) {
        parkings.add({ item, reason: 'behind-parked' });
        continue;
      }
      if (!run.takes(content.subscription)) await run.flush();
      run.add(content.event, content.subscription);
    }
    await run.flush();
    await parkings.write();
    tx.afterCommit(() => this.notice(items, parkings.parked));
    return isAnyUnseen || parkings.parked.length > 0;
  }

  /** One that cannot be handled, unless it was meanwhile. That it says all is so all the same. */
  async park(parking: Parking, tx: Tx): Promise<void> {
    const { item } = parking;
    const seen = item.content.kind === 'event' && (await this.unseen([item], tx)).size === 0;
    const parkings = await this.parkings([item], item.raw.topic, tx);
    if (!seen) {
      parkings.add(parking);
      if (saysAll(item)) await parkings.supersede(item);
    }
    await parkings.write();
    tx.afterCommit(() => this.notice([item], parkings.parked));
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
    // Not of what nothing parked holds up: of a flood of that all may have one key, and many may be parked of it.
    const placed = items.filter((item) => {
      const { content } = item;
      return content.kind === 'event' ? saysAll(item) || !content.subscription.overtakes : holdsUp(item);
    });
    const keyHashes = new Set(placed.map(({ keyHash }) => keyHash));
    const locks = !items.some(saysAll);
    return Parkings.of({ manager, consumer, topic, seal, mostOfARecipient, locks }, keyHashes);
  }

  /** Of what is parked only what is new: where a batch is left for later, its broken messages come again every other second. */
  private notice(items: readonly Item[], parked: readonly Parking[]): void {
    const { logger, metrics } = this.options;
    const [first] = items;
    if (first !== undefined) metrics?.counter(...TAKEN_IN).inc({ topic: first.raw.topic }, items.length);
    for (const { item, reason, cause } of parked) {
      metrics?.counter(...PARKED).inc({ reason });
      const about = { reason, topic: item.raw.topic, position: item.position };
      if (item.content.kind === 'broken') logger.warn(about, 'a message is no event and is parked');
      else if (cause !== undefined) logger.error({ err: cause, ...about }, 'a message is parked');
    }
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

  /** Whether one more goes to its handler with those before it. */
  takes(subscription: Subscription): boolean {
    return this.subscription === subscription && subscription.batches;
  }

  add(event: ReceivedEvent, subscription: Subscription): void {
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
      this.delivery.alive();
    }
  }
}

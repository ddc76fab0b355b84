import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { replies, type EventContract } from '@castiron/contracts';
import { isPassing, NoRoom, pauseAfter } from '@castiron/failures';
import type { Consumer, IncomingBatch, Kafka } from '@castiron/kafka';
import type { Logger, Metrics } from '@castiron/observability';
import type { Transactions } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { BatchHandler } from './batch-handler.js';
import { databaseAnswers } from './database-answers.js';
import type { Delivery } from './handling.js';
import { itemsOf } from './item.js';
import { Maintenance } from './maintenance.js';
import { Parked } from './parked.js';
import type { Most, Seal } from './parked-messages.js';
import type { Subscription } from './subscription.js';
import { Subscriptions } from './subscriptions.js';

const PAUSE_MS = { first: 100, longest: 5_000 };
/** How soon a topic that does not exist yet is looked for again. */
const MISSING_MS = 2_000;
/** What a recipient sent and takes longer is put off once there is less of it: whatever it sends, others come between. */
const LONGEST_OF_A_RECIPIENT_MS = 3_000;

export interface InboxOptions {
  /** The consumer group, and the name under which handled ids are remembered. */
  readonly name: string;
  /** Asked with each start of the consumer for another group: one that is new reads all topics from their beginning, and handles what it did not before. */
  readonly group?: () => Promise<string>;
  readonly dataSource: DataSource;
  readonly transactions: Transactions;
  readonly kafka: Kafka;
  /** May be empty: {@link Inbox.watch} adds more. */
  readonly topics: readonly string[];
  readonly subscriptions: readonly Subscription[];
  /** Contracts of the topics read that this service passes over on purpose. */
  readonly ignored?: readonly EventContract[];
  /** Encrypts parked messages at rest. */
  readonly seal: Seal;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** How much of one recipient's topic may be parked at a time; what comes beyond is only counted. */
  readonly mostOfARecipient?: Partial<Most>;
  /** What adds waits while it is full, in this process and in others of the group. */
  readonly room?: { readonly isFull: boolean };
  /** The consumer cannot go on: the process is to end. */
  readonly onCrash: (error: Error) => void;
}

/**
 * Reads topics and handles each message exactly once in the database, in order per key. A batch's ids, effects and
 * outgoing events are one transaction; offsets follow it and nothing rests on them.
 */
export class Inbox {
  /** What could not be handled, for those who run the service. */
  readonly parked: Parked;
  private readonly topics: Set<string>;
  private readonly subscriptions: Subscriptions;
  private readonly handler: BatchHandler;
  private readonly maintenance: Maintenance;
  private consumer: Consumer | undefined;
  /** The topics the consumer reads: those that exist. */
  private reading: readonly string[] = [];
  private turning: Promise<void> = Promise.resolve();
  private again: NodeJS.Timeout | undefined;
  /** A consumer lives longer than the request that made it read more, and is not to go by that one's id. */
  private readonly outside = AsyncLocalStorage.snapshot();
  private readonly stopping = new AbortController();

  /** @throws where an event on the topics has no handler */
  constructor(private readonly options: InboxOptions) {
    this.topics = new Set(options.topics);
    this.subscriptions = new Subscriptions(options.subscriptions, options.ignored ?? []);
    this.subscriptions.assertComplete(options.topics);
    this.handler = new BatchHandler(options);
    this.parked = new Parked(options, this.subscriptions);
    this.maintenance = new Maintenance(options);
  }

  /** Resolves before it reads: a broker that is silent, or a group that deals its partitions out, may take minutes. */
  async start(): Promise<void> {
    await this.maintenance.start();
    void this.turn(() => this.readWhatExists());
  }

  /** Ends the batch in work (or leaves it for the next start), then leaves the group. */
  async stop(): Promise<void> {
    // First, for what is left from here on must not be taken for handled.
    const stopped = this.consumer?.stop();
    this.stopping.abort();
    clearTimeout(this.again);
    await stopped;
    await this.turn(() => this.stopReading());
    await this.maintenance.stop();
  }

  healthy(): boolean {
    const all = this.reading.length === this.topics.size;
    return !this.stopping.signal.aborted && all && (this.topics.size === 0 || (this.consumer?.healthy() ?? false));
  }

  /**
   * Reads these topics too, from their beginning; a no-op for those read already. Takes a restart of the consumer, so do
   * not wait for it inside a handler: it waits for the batch in work.
   */
  async watch(topics: readonly string[]): Promise<void> {
    const more = topics.filter((topic) => !this.topics.has(topic));
    if (more.length === 0) return;
    this.subscriptions.assertComplete([...this.topics, ...more]);
    for (const topic of more) this.topics.add(topic);
    await this.turn(() => this.readWhatExists());
  }

  /** One change of the consumer at a time. */
  private turn(work: () => Promise<void>): Promise<void> {
    const done = this.turning.then(() => this.outside(work));
    this.turning = done.catch(() => undefined);
    return done;
  }

  /** Reads the wanted topics that exist, and looks again later for the others: one missing topic must stop no other. */
  private async readWhatExists(): Promise<void> {
    clearTimeout(this.again);
    if (this.stopping.signal.aborted) return;
    const { kafka, name, group, dataSource, room, logger, onCrash } = this.options;
    let began = false;
    try {
      const existing = await this.unlessStopped(this.existing());
      if (existing.length < this.topics.size) {
        const missing = [...this.topics].filter((topic) => !existing.includes(topic));
        logger.warn({ topics: missing }, 'topics do not exist yet, or may not be seen');
        this.lookAgain();
      }
      if (isDeepStrictEqual(existing, this.reading) && this.consumer !== undefined) return;
      began = true;
      await this.stopReading();
      if (existing.length === 0 || this.stopping.signal.aborted) return;
      this.consumer = kafka.consumer({
        groupId: (await group?.()) ?? name,
        topics: existing,
        onBatch: (batch) => this.onBatch(batch),
        onCrash,
        // Batches wait for it then, in this process or another: that ends nobody.
        excused: async () => room?.isFull === true || !(await databaseAnswers(dataSource)),
      });
      this.reading = existing;
      await this.unlessStopped(this.consumer.start());
    } catch (error) {
      // Where only the look failed, what is read already is read on.
      if (began) await this.stopReading();
      if (this.stopping.signal.aborted) return;
      const what = this.consumer === undefined ? 'the consumer cannot start' : 'missing topics cannot be looked for';
      logger.error({ err: error }, `${what}; it is tried again`);
      this.lookAgain();
    }
  }

  /** A stop waits for no broker. */
  private async unlessStopped<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.stopping;
    const done = new AbortController();
    const stopped = once(signal, 'abort', { signal: done.signal }).then(() => signal.throwIfAborted());
    for (const one of [work, stopped]) one.catch(() => undefined);
    try {
      return (await Promise.race([work, stopped])) as T;
    } finally {
      done.abort();
    }
  }

  private async stopReading(): Promise<void> {
    const { consumer } = this;
    this.consumer = undefined;
    this.reading = [];
    await consumer?.stop();
  }

  private lookAgain(): void {
    clearTimeout(this.again);
    if (this.stopping.signal.aborted) return;
    this.again = setTimeout(() => void this.turn(() => this.readWhatExists()), MISSING_MS);
  }

  private async existing(): Promise<string[]> {
    if (this.topics.size === 0) return [];
    const admin = this.options.kafka.admin();
    try {
      const names = new Set(await admin.topicNames());
      return [...this.topics].filter((topic) => names.has(topic));
    } finally {
      await admin.close();
    }
  }

  private async onBatch(batch: IncomingBatch): Promise<void> {
    const isOfARecipient = replies.slugOf(batch.topic) !== undefined;
    const began = performance.now();
    const isOver = (): boolean => isOfARecipient && performance.now() - began > LONGEST_OF_A_RECIPIENT_MS;
    let done: string | undefined;
    const delivery: Delivery = {
      goesOn: async (progress) => {
        if (progress?.done !== undefined) done = progress.done.offset;
        await batch.heartbeat();
        if (this.stopping.signal.aborted || batch.isStale()) return false;
        if (progress?.isAny !== true || !isOver()) return true;
        batch.later(done);
        return false;
      },
      alive: () => void batch.heartbeat(),
    };
    for (let failures = 0; ; failures += 1) {
      try {
        await this.handler.handle(itemsOf(batch, this.subscriptions, done), delivery);
        return;
      } catch (error) {
        if (!isPassing(error)) throw error;
        const { logger } = this.options;
        if (error instanceof NoRoom) {
          logger.warn({ topic: batch.topic }, 'what adds waits for room in the outbox; the rest goes on');
          batch.later(done);
          return;
        }
        logger.warn({ err: error, topic: batch.topic, failures }, 'a batch cannot be handled yet; it is tried again');
        const pause = pauseAfter(failures + 1, PAUSE_MS);
        await wait(pause, undefined, { signal: this.stopping.signal }).catch(() => undefined);
        if (!(await delivery.goesOn())) return;
        // It waits for what may pass; others are not to wait for it.
        if (isOver()) {
          batch.later(done);
          return;
        }
      }
    }
  }
}

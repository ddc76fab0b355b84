import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { feeds } from '@castiron/contracts';
import { isPassing, pauseAfter } from '@castiron/failures';
import type { Consumer, IncomingBatch, IncomingMessage, Kafka } from '@castiron/kafka';
import type { Logger } from '@castiron/observability';
import type { Part } from '@castiron/service';
import type { DataSource } from 'typeorm';
import { allRecipients } from '../recipients/recipient.table.js';
import type { ReleaseSignals } from '../release/release-signals.js';
import type { Passed } from './feed-notes.table.js';
import { noteRecords } from './note-records.js';
import type { FeedPartition } from './place.js';
import type { ReconcilerMetrics } from './reconciler-metrics.js';

/** Messages of one transaction: what compares entries waits for it. */
const CHUNK = 500;
const PAUSE_MS = { first: 100, longest: 5_000 };

export interface FeedReaderParts {
  readonly dataSource: DataSource;
  readonly kafka: Kafka;
  /** The replicas share the feeds by it; where they stand is in the database. */
  readonly groupId: string;
  readonly signals: ReleaseSignals;
  readonly logger: Logger;
  readonly metrics: ReconcilerMetrics;
}

/** Reads all feeds as they are written and notes what stands on them. */
export class FeedReader implements Part {
  readonly name = 'feeds';
  private consumer: Consumer | undefined;
  /** The feeds the consumer reads: those that exist. */
  private reading: readonly string[] = [];
  /** Whether the last look at which feeds there are came to its end. */
  private looked = false;
  /** Of each partition, the offset from which the consumer read on by itself. */
  private readonly readOn = new Map<string, bigint>();
  private turning: Promise<void> = Promise.resolve();
  private next: Promise<void> | undefined;
  /** A consumer lives longer than the request that made it read more, and is not to go by that one's id. */
  private readonly outside = AsyncLocalStorage.snapshot();
  private readonly stopping = new AbortController();
  private onCrash: (error: Error) => void = () => undefined;

  constructor(private readonly parts: FeedReaderParts) {}

  /** Resolves before it reads: a broker that is silent may take minutes. */
  start(onCrash: (error: Error) => void): Promise<void> {
    this.onCrash = onCrash;
    void this.look();
    return Promise.resolve();
  }

  /** Ends the batch in work, or leaves it for the next start, then leaves the group. */
  async stop(): Promise<void> {
    this.stopping.abort();
    // A look under way may wait for the broker; whatever it starts finds that it is to stop.
    await this.consumer?.stop();
    this.consumer = undefined;
  }

  /** Whether it reads all feeds there are. */
  healthy(): boolean {
    return (
      this.looked && !this.stopping.signal.aborted && (this.reading.length === 0 || (this.consumer?.healthy() ?? false))
    );
  }

  /** Reads the feeds of new recipients too, other processes' as well. Never throws: the next look comes. */
  look(): Promise<void> {
    // Where the broker is silent, one that has not begun does for all who ask.
    this.next ??= this.turning.then(() => {
      this.next = undefined;
      return this.outside(() => this.tryToRead());
    });
    this.turning = this.next;
    return this.next;
  }

  private async tryToRead(): Promise<void> {
    try {
      await this.readWhatExists();
      this.looked = true;
    } catch (error) {
      this.looked = false;
      if (!this.stopping.signal.aborted)
        this.parts.logger.warn({ err: error }, 'feeds cannot be read yet; it is tried again');
    }
  }

  private async readWhatExists(): Promise<void> {
    const { dataSource } = this.parts;
    if (this.stopping.signal.aborted) return;
    const wanted = (await allRecipients(dataSource.manager)).map(({ slug }) => feeds.of(slug).name);
    if (this.consumer !== undefined && isDeepStrictEqual(wanted, this.reading)) return;
    const names = await this.topicNames();
    const existing = wanted.filter((topic) => names.has(topic));
    if (this.consumer !== undefined && isDeepStrictEqual(existing, this.reading)) return;
    await this.stopReading();
    if (existing.length > 0) await this.read(existing);
  }

  private async read(topics: readonly string[]): Promise<void> {
    if (this.stopping.signal.aborted) return;
    const { kafka, groupId } = this.parts;
    const consumer = kafka.consumer({
      groupId,
      topics,
      onBatch: (batch) => this.onBatch(batch),
      onCrash: (error) => this.onCrash(error),
    });
    this.consumer = consumer;
    this.reading = topics;
    try {
      await consumer.start();
    } catch (error) {
      await this.stopReading();
      throw error;
    }
  }

  private async stopReading(): Promise<void> {
    const { consumer } = this;
    this.consumer = undefined;
    this.reading = [];
    await consumer?.stop();
    this.readOn.clear();
  }

  private async topicNames(): Promise<ReadonlySet<string>> {
    const admin = this.parts.kafka.admin();
    try {
      return new Set(await admin.topicNames());
    } finally {
      await admin.close();
    }
  }

  private async onBatch(batch: IncomingBatch): Promise<void> {
    let chunk: IncomingMessage[] = [];
    for (const message of batch.messages) {
      chunk.push(message);
      if (chunk.length < CHUNK) continue;
      if (!(await this.note(batch, chunk))) return;
      chunk = [];
    }
    if (chunk.length > 0) await this.note(batch, chunk);
  }

  /** @returns whether the batch goes on */
  private async note(batch: IncomingBatch, messages: readonly IncomingMessage[]): Promise<boolean> {
    const { dataSource, logger } = this.parts;
    const at = { topic: batch.topic, partition: batch.partition };
    const name = `${at.topic}/${at.partition}`;
    for (let failures = 1; ; failures += 1) {
      try {
        const noting = await noteRecords(dataSource, at, messages, this.readOn.get(name));
        this.readOn.set(name, noting.next);
        if (noting.again) batch.readFrom(noting.next.toString());
        else this.tell(at, noting);
        await batch.heartbeat();
        return !batch.isStale();
      } catch (error) {
        if (!isPassing(error)) throw error;
        logger.warn({ err: error, ...at, failures }, 'records cannot be noted yet; it is tried again');
        await wait(pauseAfter(failures, PAUSE_MS), undefined, { signal: this.stopping.signal }).catch(() => undefined);
        await batch.heartbeat();
        if (this.stopping.signal.aborted || batch.isStale()) return false;
      }
    }
  }

  private tell(at: FeedPartition, passed: Passed): void {
    const { signals, logger, metrics } = this.parts;
    metrics.passed(at, passed);
    const { groundless, fallen } = passed;
    if (groundless + fallen > 0)
      logger.error({ ...at, groundless, fallen }, 'records without a ground stand on a feed');
    if (fallen > 0) signals.tell('pending');
  }
}

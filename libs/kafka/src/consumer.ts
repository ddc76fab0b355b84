import { type Consumer as KafkaJsConsumer, type EachBatchPayload } from 'kafkajs';
import { MAX_MESSAGE_BYTES } from '@castiron/contracts';
import { createClient, type Client } from './client.js';
import { within } from './deadline.js';
import { incoming } from './incoming.js';
import { DEFAULT_LEASE_MS, type Admin, type Consumer, type ConsumerOptions, type KafkaSettings } from './types.js';

/** Without a fetch for so long, a consumer is not healthy; with a broker that answers, it is stuck for good. */
const STALL_MS = 60_000;
/** Of the lease, from one to the next. */
const HEARTBEATS = 0.3;
const STOP_DEADLINE_MS = 10_000;
/** A batch of one partition must hold the largest message, or that message stalls its partition. */
const MIN_FETCH_BYTES = 2 * MAX_MESSAGE_BYTES;
const PARTITIONS_AT_ONCE = 4;

/**
 * A runner of our own on kafkajs's `eachBatch`: nothing is committed but what `onBatch` finished. kafkajs rejoins and
 * reconnects by itself after what may pass; anything else, and a consumer that fetches no more, is a crash.
 */
export class CommittingConsumer implements Consumer {
  private client: Client | undefined;
  private consumer: KafkaJsConsumer | undefined;
  private watchdog: NodeJS.Timeout | undefined;
  private lastFetch = 0;
  private working = 0;
  private ended = false;

  constructor(
    private readonly settings: KafkaSettings,
    private readonly options: ConsumerOptions,
    private readonly admin: () => Admin,
    private readonly stallMs = STALL_MS,
  ) {}

  async start(): Promise<void> {
    if (this.client !== undefined) throw new Error('a consumer starts once; make a new one');
    const leaseMs = this.settings.leaseMs ?? DEFAULT_LEASE_MS;
    const retry = { initialRetryTime: 100, maxRetryTime: 3_000, retries: 8 };
    this.client = createClient(this.settings, retry);
    const consumer = this.client.kafka.consumer({
      groupId: this.options.groupId,
      allowAutoTopicCreation: false,
      readUncommitted: false,
      sessionTimeout: 1.5 * leaseMs,
      rebalanceTimeout: 30_000,
      heartbeatInterval: HEARTBEATS * leaseMs,
      maxWaitTimeInMs: 500,
      maxBytes: Math.max(this.options.maxBytes ?? 4 * MAX_MESSAGE_BYTES, MIN_FETCH_BYTES),
      maxBytesPerPartition: MIN_FETCH_BYTES,
      retry,
    });
    this.consumer = consumer;
    consumer.on('consumer.fetch', () => {
      this.lastFetch = Date.now();
    });
    consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      // kafkajs steps over what holds nothing for a reader (markers of transactions, aborted records) and tells nobody.
      // Committed, or a group that has read everything would seem behind. Only a figure hangs on it, so errors do not.
      if (batchSize > 0 || this.ended) return;
      const offset = String(BigInt(lastOffset) + 1n);
      consumer.commitOffsets([{ topic, partition, offset }]).catch(() => undefined);
    });
    consumer.on('consumer.crash', ({ payload }) => {
      if (!payload.restart) this.crash(payload.error);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
      this.lastFetch = Date.now();
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: PARTITIONS_AT_ONCE,
        eachBatch: (payload) => this.consume(payload),
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.watchdog = setInterval(() => void this.watch(), this.stallMs / 4);
    this.watchdog.unref();
  }

  async stop(): Promise<void> {
    this.ended = true;
    clearInterval(this.watchdog);
    const { client, consumer } = this;
    if (client === undefined || consumer === undefined) return;
    // Drains the batch in work, leaves the group, then disconnects.
    const stopped = consumer.stop().then(() => consumer.disconnect());
    await within(STOP_DEADLINE_MS, 'stopping the consumer', stopped).catch(() => undefined);
    client.destroySockets();
  }

  healthy(): boolean {
    return !this.ended && this.client !== undefined && (this.working > 0 || Date.now() - this.lastFetch < this.stallMs);
  }

  private async consume(payload: EachBatchPayload): Promise<void> {
    const { batch } = payload;
    if (this.ended) return;
    let lost: Error | undefined;
    const heartbeat = async (): Promise<void> => {
      try {
        if (lost === undefined) await payload.heartbeat();
      } catch (error) {
        lost ??= error instanceof Error ? error : new Error(String(error));
      }
    };
    const isStale = (): boolean => this.ended || lost !== undefined || !payload.isRunning() || payload.isStale();
    // Work on a batch may wait long for a database: the group is to know that this member lives.
    const beating = setInterval(() => void heartbeat(), HEARTBEATS * (this.settings.leaseMs ?? DEFAULT_LEASE_MS));
    this.working += 1;
    try {
      const { topic, partition } = batch;
      const messages = batch.messages.map(incoming);
      try {
        await this.options.onBatch({ topic, partition, messages, heartbeat, isStale });
      } catch (error) {
        payload.pause();
        this.crash(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    } finally {
      clearInterval(beating);
      this.working -= 1;
      this.lastFetch = Date.now();
    }
    // The runner rejoins the group on this error, and reads again from what is committed.
    if (lost !== undefined) throw lost;
    if (isStale()) return;
    const { topic, partition } = batch;
    // The last offset of the batch counts what a reader never sees (markers of transactions, aborted records).
    const next = String(BigInt(batch.lastOffset()) + 1n);
    await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: next }] }] });
    const last = batch.messages.at(-1);
    if (last !== undefined) payload.resolveOffset(last.offset);
  }

  private async watch(): Promise<void> {
    const [topic] = this.options.topics;
    if (this.ended || this.healthy() || topic === undefined) return;
    const admin = this.admin();
    try {
      await admin.endOffsets(topic);
    } catch {
      // The broker is away, so it is not this consumer that is stuck.
      this.lastFetch = Date.now() - this.stallMs / 2;
      return;
    } finally {
      await admin.close();
    }
    if (!this.healthy()) this.crash(new Error(`no fetch for ${this.stallMs / 1000} s although the broker answers`));
  }

  private crash(error: Error): void {
    if (this.ended) return;
    this.ended = true;
    clearInterval(this.watchdog);
    this.options.onCrash(error);
  }
}

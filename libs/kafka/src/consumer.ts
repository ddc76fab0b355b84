import type { Consumer as KafkaJsConsumer, EachBatchPayload } from 'kafkajs';
import { FETCH_BYTES, PARTITION_FETCH_BYTES } from '@castiron/contracts';
import { createClient, type Client } from './client.js';
import { Commits } from './commits.js';
import { within } from './deadline.js';
import { groupPlaces } from './group-places.js';
import { incomingOf } from './incoming.js';
import { subscribedAssigner } from './subscribed-assigner.js';
import { DEFAULT_LEASE_MS, LATER_MS, type Consumer, type ConsumerOptions, type KafkaSettings } from './types.js';
import { Watchdog, type Watched } from './watchdog.js';

/** Leases without a step after which a consumer is taken for stuck, and where leases are short, a time that a busy machine needs. */
const STALL_LEASES = 6;
const SHORTEST_STALL_MS = 20_000;
/** Leases in which members have to come back when the group deals its partitions out anew. */
const REBALANCE_LEASES = 3;
/** Of the lease, from one to the next. */
const HEARTBEATS = 0.3;
/** What is not done by then is left for the next start: a service has ten seconds for all that it ends. */
const STOP_DEADLINE_MS = 4_000;
/** Of that. What could not be committed comes again, and a group that nobody leaves waits for it. */
const FLUSH_DEADLINE_MS = 1_000;
/** How long a fetch waits for something to come; stopping waits for the fetch under way. */
const LONGEST_FETCH_MS = 1_000;
const PARTITIONS_AT_ONCE = 4;
/**
 * Of a batch. Of the smallest records a fetch may hold hundreds of thousands: so that what is done is committed between, and
 * whoever makes all of a batch at once has no more than these.
 */
const MESSAGES_AT_ONCE = 20_000;
/** Then the rest of a fetch is left, and is fetched and decoded again: other partitions come between. */
const LONGEST_OF_A_FETCH_MS = 1_000;

/**
 * A runner of our own on kafkajs's `eachBatch`: nothing is committed but what `onBatch` finished, soon after it. kafkajs rejoins and
 * reconnects by itself after what may pass; anything else, and a consumer that is stuck, is a crash.
 */
export class CommittingConsumer implements Consumer {
  private readonly leaseMs: number;
  private readonly watchdog: Watchdog;
  /** Only what is seen of the group hangs on a commit, and what comes again: errors do not end anything. */
  private readonly commits = new Commits((offsets) => this.consumer?.commitOffsets(offsets) ?? Promise.resolve());
  private client: Client | undefined;
  private consumer: KafkaJsConsumer | undefined;
  private ended = false;
  /** How often it joined its group. */
  private joins = 0;
  private stopped: Promise<void> | undefined;
  private readonly paused = new Set<NodeJS.Timeout>();

  constructor(
    private readonly settings: KafkaSettings,
    private readonly options: ConsumerOptions,
    watched: Partial<Pick<Watched, 'stallMs' | 'places'>> = {},
  ) {
    this.leaseMs = settings.leaseMs ?? DEFAULT_LEASE_MS;
    this.watchdog = new Watchdog({
      stallMs: Math.max(SHORTEST_STALL_MS, STALL_LEASES * this.leaseMs),
      places: () => groupPlaces(settings, options.groupId, options.topics),
      ...watched,
      excused: options.excused ?? (() => Promise.resolve(false)),
      commit: (topic, partition, next, sign) => this.commits.note(topic, partition, next, sign),
      crash: (error) => this.crash(error),
    });
  }

  async start(): Promise<void> {
    if (this.client !== undefined) throw new Error('a consumer starts once; make a new one');
    const retry = {
      initialRetryTime: 100,
      maxRetryTime: 3_000,
      retries: 8,
      restartOnFailure: () => Promise.resolve(!this.ended),
    };
    this.client = createClient(this.settings, retry);
    const consumer = this.client.kafka.consumer({
      groupId: this.options.groupId,
      allowAutoTopicCreation: false,
      readUncommitted: false,
      partitionAssigners: [subscribedAssigner()],
      sessionTimeout: 1.5 * this.leaseMs,
      rebalanceTimeout: REBALANCE_LEASES * this.leaseMs,
      heartbeatInterval: HEARTBEATS * this.leaseMs,
      // kafkajs beats between fetches.
      maxWaitTimeInMs: Math.min(LONGEST_FETCH_MS, HEARTBEATS * this.leaseMs),
      maxBytes: Math.max(this.options.maxBytes ?? FETCH_BYTES, PARTITION_FETCH_BYTES),
      maxBytesPerPartition: PARTITION_FETCH_BYTES,
      retry,
    });
    this.consumer = consumer;
    consumer.on('consumer.fetch', () => this.watchdog.fetched());
    // Nothing is fetched while a group deals its partitions out; where that has no end, they stand still.
    consumer.on('consumer.rebalancing', () => {
      this.watchdog.fetched();
      void this.commits.flush();
    });
    consumer.on('consumer.group_join', ({ payload }) => {
      this.joins += 1;
      this.watchdog.fetched();
      this.commits.forget();
      this.watchdog.assigned(payload.memberAssignment);
    });
    consumer.on('consumer.end_batch_process', ({ payload: { topic, partition, batchSize, lastOffset } }) => {
      // kafkajs steps over what holds nothing for a reader (markers of transactions, aborted records) and tells nobody.
      // Committed, or a group that has read everything would seem behind.
      if (batchSize > 0 || this.ended) return;
      const next = BigInt(lastOffset) + 1n;
      this.moved(topic, partition, next);
    });
    consumer.on('consumer.crash', ({ payload }) => {
      if (!payload.restart) this.crash(payload.error);
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...this.options.topics], fromBeginning: true });
      this.watchdog.fetched();
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
    // Stopped meanwhile, there is nothing to watch.
    if (!this.ended) this.watchdog.start();
  }

  async stop(): Promise<void> {
    this.ended = true;
    this.watchdog.stop();
    for (const timer of this.paused) clearTimeout(timer);
    const { client, consumer } = this;
    if (client === undefined || consumer === undefined) return;
    // Whoever asks a second time waits for the first, and not its whole time again.
    await (this.stopped ??= this.leave(client, consumer));
  }

  /** Drains the batch in work, leaves the group, then disconnects. */
  private async leave(client: Client, consumer: KafkaJsConsumer): Promise<void> {
    const left = within(FLUSH_DEADLINE_MS, 'the last commit', this.commits.flush())
      .catch(() => undefined)
      .then(() => consumer.stop())
      .then(() => consumer.disconnect());
    await within(STOP_DEADLINE_MS, 'stopping the consumer', left).catch(() => undefined);
    client.destroySockets();
  }

  healthy(): boolean {
    return !this.ended && this.client !== undefined && this.watchdog.fetches();
  }

  private async consume(payload: EachBatchPayload): Promise<void> {
    const { topic, partition } = payload.batch;
    if (this.ended) {
      // Left where it is, it would be fetched again at once, until the process ends.
      payload.pause();
      return;
    }
    let lost: Error | undefined;
    const heartbeat = async (): Promise<void> => {
      try {
        if (lost === undefined) await payload.heartbeat();
      } catch (error) {
        lost ??= error instanceof Error ? error : new Error(String(error));
      }
    };
    const { messages: fetched } = payload.batch;
    let isLater = false;
    let done: string | undefined;
    const later = (upTo?: string): void => void ([isLater, done] = [true, upTo]);
    // To kafkajs the batch is stale from then on.
    const readFrom = (offset: string): void => this.consumer?.seek({ topic, partition, offset });
    // With several brokers kafkajs joins anew where one of them says so, while what another sent is at work here.
    const { joins } = this;
    const isOfFormer = (): boolean => this.ended || lost !== undefined || joins !== this.joins;
    const isStale = (): boolean => isOfFormer() || !payload.isRunning() || payload.isStale();
    // Work on a batch may wait long for a database: the group is to know that this member lives.
    const beating = setInterval(() => void heartbeat(), HEARTBEATS * this.leaseMs);
    const over = this.watchdog.works(topic, partition);
    const atWork = (): Promise<void> => {
      this.watchdog.signOfLife(topic, partition);
      return heartbeat();
    };
    const began = performance.now();
    const isLong = (): boolean => performance.now() - began > LONGEST_OF_A_FETCH_MS;
    try {
      for (let at = 0; at < fetched.length && !isLater && !isLong(); at += MESSAGES_AT_ONCE) {
        const given = fetched.slice(at, at + MESSAGES_AT_ONCE);
        const messages = incomingOf(given);
        try {
          await this.options.onBatch({ topic, partition, messages, heartbeat: atWork, isStale, later, readFrom });
        } catch (error) {
          payload.pause();
          this.crash(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        if (isStale()) break;
        if (!isLater) done = given.at(-1)?.offset;
        if (done === undefined) continue;
        payload.resolveOffset(done);
        // The last offset of the batch counts what a reader never sees (markers of transactions, aborted records).
        const isAll = !isLater && at + given.length === fetched.length;
        this.moved(topic, partition, BigInt(isAll ? payload.batch.lastOffset() : done) + 1n);
      }
    } finally {
      clearInterval(beating);
      over();
    }
    // The runner rejoins the group on this error, and reads again from what is committed.
    if (lost !== undefined) throw lost;
    if (isLater && !isStale()) this.pauseAWhile(payload);
  }

  /** kafkajs fetches nothing before all that it fetched was handled, so what waits must not be held. */
  private pauseAWhile(payload: EachBatchPayload): void {
    const resume = payload.pause();
    const timer = setTimeout(() => {
      this.paused.delete(timer);
      resume();
    }, LATER_MS);
    this.paused.add(timer);
  }

  private moved(topic: string, partition: number, next: bigint): void {
    if (this.watchdog.moved(topic, partition, next)) this.commits.note(topic, partition, next);
  }

  private crash(error: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.watchdog.stop();
    this.options.onCrash(error);
  }
}

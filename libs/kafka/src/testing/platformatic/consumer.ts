import { setTimeout as wait } from 'node:timers/promises';
import { FETCH_BYTES, PARTITION_FETCH_BYTES } from '@castiron/contracts';
import {
  Consumer as Client,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
  type Message,
  type MessagesStream,
} from '@platformatic/kafka';
import { within } from '../../deadline.js';
import {
  DEFAULT_LEASE_MS,
  LATER_MS,
  type Admin,
  type Consumer,
  type ConsumerOptions,
  type IncomingMessage,
  type KafkaSettings,
} from '../../types.js';
import { destroy, discard, optionsOf } from './client.js';

const STALL_MS = 60_000;
const STOP_DEADLINE_MS = 10_000;
const PARTITIONS_AT_ONCE = 4;
/** Messages that wait for work; with more the stream is held up. */
const WAITING = 4_000;

type Bytes = Buffer | null | undefined;
type Stream = MessagesStream<Bytes, Bytes, Bytes, Bytes>;
type Came = Message<Bytes, Bytes, Bytes, Bytes>;

export function incoming({ key, value, offset, timestamp, headerEntries }: Came): IncomingMessage {
  const headers: Record<string, Buffer | Buffer[]> = {};
  for (const [name, bytes] of headerEntries) {
    const at = String(name);
    const before = headers[at];
    const now = bytes ?? Buffer.alloc(0);
    headers[at] = before === undefined ? now : [before, now].flat();
  }
  return {
    key: key ?? null,
    value: value ?? null,
    offset: String(offset),
    timestamp: new Date(Number(timestamp)),
    headers,
  };
}

/** What one membership of the group was given; another takes its place with each rebalance. */
class Generation {
  stale = false;
  readonly waiting = new Map<string, Came[]>();
  size = 0;
  scheduled = false;
  readonly atWork = new Set<string>();
  readonly committed = new Map<string, bigint>();

  constructor(readonly stream: Stream) {}

  end(): void {
    this.stale = true;
    this.waiting.clear();
    this.size = 0;
  }

  /** Only once another stream reads the topics, or the client leaves the group and joins it anew. */
  destroy(): void {
    this.end();
    destroy(this.stream.connections);
    this.stream.destroy();
  }
}

export class PlatformaticConsumer implements Consumer {
  private client: Client<Bytes, Bytes, Bytes, Bytes> | undefined;
  private generation: Generation | undefined;
  private renewing: Promise<void> = Promise.resolve();
  private watchdog: NodeJS.Timeout | undefined;
  private readonly working = new Set<Promise<void>>();
  private lastFetch = 0;
  private ended = false;

  constructor(
    private readonly settings: KafkaSettings,
    private readonly options: ConsumerOptions,
    private readonly admin: () => Admin,
  ) {}

  async start(): Promise<void> {
    if (this.client !== undefined) throw new Error('a consumer starts once; make a new one');
    const admin = this.admin();
    try {
      for (const topic of this.options.topics) await admin.endOffsets(topic);
    } finally {
      await admin.close();
    }
    const leaseMs = this.settings.leaseMs ?? DEFAULT_LEASE_MS;
    const client = (this.client = new Client<Bytes, Bytes, Bytes, Bytes>({
      ...optionsOf(this.settings),
      groupId: this.options.groupId,
      sessionTimeout: 1.5 * leaseMs,
      rebalanceTimeout: 30_000,
      heartbeatInterval: 0.3 * leaseMs,
      autocommit: false,
      maxWaitTime: 500,
      maxBytes: Math.max(this.options.maxBytes ?? FETCH_BYTES, PARTITION_FETCH_BYTES),
      maxBytesPerPartition: PARTITION_FETCH_BYTES,
    }));
    client.on('consumer:group:rebalance', () => this.generation?.end());
    client.on('consumer:group:join', () => {
      this.generation?.end();
      if (this.generation === undefined) return;
      // A fetch that was under way when the group changed would move the stream past what is not committed.
      this.renewing = this.renewing.then(() => this.renew()).catch((error: unknown) => this.crash(error));
    });
    client.on('error' as never, ((error: Error) => this.crash(error)) as never);
    client.on('consumer:heartbeat:stalled', () => this.crash(new Error('the group does not answer')));
    this.lastFetch = Date.now();
    await this.renew();
    this.watchdog = setInterval(() => void this.watch(), STALL_MS / 4);
    this.watchdog.unref();
  }

  async stop(): Promise<void> {
    this.ended = true;
    clearInterval(this.watchdog);
    const { client } = this;
    if (client === undefined) return;
    this.generation?.end();
    const drained = Promise.all(this.working).then(() => this.renewing);
    await within(STOP_DEADLINE_MS, 'stopping the consumer', drained).catch(() => undefined);
    await within(2_000, 'leaving the group', client.close(true)).catch(() => undefined);
    discard(client);
  }

  healthy(): boolean {
    return (
      !this.ended && this.client !== undefined && (this.working.size > 0 || Date.now() - this.lastFetch < STALL_MS)
    );
  }

  private async renew(): Promise<void> {
    const { client } = this;
    if (this.ended || client === undefined) return;
    const stream = await client.consume({
      topics: [...this.options.topics],
      mode: MessagesStreamModes.COMMITTED,
      fallbackMode: MessagesStreamFallbackModes.EARLIEST,
    });
    const former = this.generation;
    const generation = (this.generation = new Generation(stream));
    former?.destroy();
    stream.on('error', (error) => {
      if (!generation.stale) this.crash(error);
    });
    stream.on('fetch', () => {
      this.lastFetch = Date.now();
      setImmediate(() => this.stepOver(generation));
    });
    stream.on('data', (message: Came) => {
      if (generation.stale) return;
      const place = `${message.topic}:${message.partition}`;
      const waiting = generation.waiting.get(place);
      if (waiting === undefined) generation.waiting.set(place, [message]);
      else waiting.push(message);
      generation.size += 1;
      if (generation.size > WAITING) stream.pause();
      if (generation.scheduled) return;
      // Once all of a fetch is there, so that it is one batch.
      generation.scheduled = true;
      setImmediate(() => {
        generation.scheduled = false;
        this.work(generation);
      });
    });
  }

  private work(generation: Generation): void {
    for (const [place, messages] of generation.waiting) {
      if (generation.stale || this.ended || generation.atWork.size >= PARTITIONS_AT_ONCE) return;
      if (generation.atWork.has(place)) continue;
      generation.waiting.delete(place);
      generation.size -= messages.length;
      generation.atWork.add(place);
      const done: Promise<void> = this.consume(generation, place, messages)
        .catch((error: unknown) => this.crash(error))
        .finally(() => {
          this.working.delete(done);
          generation.atWork.delete(place);
          if (generation.stale) return;
          if (generation.stream.isPaused() && generation.size < WAITING / 2) generation.stream.resume();
          this.work(generation);
        });
      this.working.add(done);
    }
  }

  private async consume(generation: Generation, place: string, messages: Came[]): Promise<void> {
    const [first, last] = [messages[0], messages.at(-1)];
    if (first === undefined || last === undefined) return;
    const { topic, partition } = first;
    const isStale = (): boolean => this.ended || generation.stale;
    let left = messages;
    for (let isLater = true; isLater && !isStale();) {
      isLater = false;
      await this.options.onBatch({
        topic,
        partition,
        messages: left.map(incoming),
        heartbeat: async () => undefined,
        isStale,
        later: (done = '-1') => {
          isLater = true;
          left = left.filter(({ offset }) => offset > BigInt(done));
        },
        readFrom: () => {
          throw new Error('not offered here');
        },
      });
      if (isLater) await wait(LATER_MS, undefined, { ref: false });
    }
    if (!isStale()) await this.commit(generation, place, topic, partition, last.offset + 1n);
  }

  /** Commits past markers and aborted records, which are not handed over: a group that has read all is not behind. */
  private stepOver(generation: Generation): void {
    const { stream } = generation;
    if (generation.stale || this.ended || stream.readableLength > 0) return;
    for (const { topic, partitions } of this.client?.assignments ?? []) {
      for (const partition of partitions) {
        const place = `${topic}:${partition}`;
        const position = stream.offsetsToFetch.get(place) ?? 0n;
        if (generation.waiting.has(place) || generation.atWork.has(place)) continue;
        if (position <= (generation.committed.get(place) ?? stream.offsetsCommitted.get(place) ?? 0n)) continue;
        this.commit(generation, place, topic, partition, position).catch(() => undefined);
      }
    }
  }

  private async commit(
    generation: Generation,
    place: string,
    topic: string,
    partition: number,
    offset: bigint,
  ): Promise<void> {
    generation.committed.set(place, offset);
    try {
      await this.client?.commit({ offsets: [{ topic, partition, offset, leaderEpoch: -1 }] });
    } catch (error) {
      if (!generation.stale) throw error;
    }
  }

  private async watch(): Promise<void> {
    const [topic] = this.options.topics;
    if (this.ended || this.healthy() || topic === undefined) return;
    const admin = this.admin();
    try {
      await admin.endOffsets(topic);
    } catch {
      this.lastFetch = Date.now() - STALL_MS / 2;
      return;
    } finally {
      await admin.close();
    }
    if (!this.healthy()) this.crash(new Error(`no fetch for ${STALL_MS / 1000} s although the broker answers`));
  }

  private crash(error: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.generation?.end();
    clearInterval(this.watchdog);
    this.options.onCrash(error instanceof Error ? error : new Error(String(error)));
  }
}

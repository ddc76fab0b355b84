import type { Topic, WireMessage } from '@castiron/contracts';

export const DEFAULT_LEASE_MS = 10_000;
/** How long a partition rests whose batch was left for later. */
export const LATER_MS = 2_000;

export interface KafkaSettings {
  /** `host:port` each. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** SASL/SCRAM-SHA-512. */
  readonly username: string;
  readonly password: string;
  readonly ssl?: boolean;
  /**
   * How long a silent process keeps what it holds, in ms; default {@link DEFAULT_LEASE_MS}. A send is given up after half
   * of it, the group gives the partitions of a silent member away after one and a half, and a consumer that is stuck is
   * ended after six.
   */
  readonly leaseMs?: number;
  /** Hears what the clients have to say (warnings and errors); silent without it. */
  readonly onLog?: (line: { level: 'warn' | 'error'; message: string; cause?: string }) => void;
}

/** One principal's way to Kafka. Nothing connects before it is used. */
export interface Kafka {
  producer(): Producer;
  /** @param transactionalId the name of a line of producers, each of which shuts out those before it */
  fencedProducer(transactionalId: string, options?: FencedProducerOptions): FencedProducer;
  encoder(): MessageEncoder;
  consumer(options: ConsumerOptions): Consumer;
  admin(): Admin;
  /** See {@link readAll}. */
  read(topic: string, options?: ReadOptions): AsyncIterable<PlacedMessage>;
  /**
   * What stands between two offsets, committed or not, in some milliseconds a span and without a group.
   * @param take called with each record, of each span in order
   * @returns the spans that the partition does not reach, or whose begin it has deleted: nobody can tell what stood there
   * @throws where a partition cannot be read
   */
  readSpans(
    spans: readonly Span[],
    take: (message: IncomingMessage, of: Span) => void,
    signal?: AbortSignal,
  ): Promise<readonly Span[]>;
}

/** A message as its producer sends it, bytes already. It can be sent once. */
export interface EncodedMessage {
  readonly topic: string;
  /** What it takes of a send, at most. */
  readonly bytes: number;
}

/**
 * Encodes messages as soon as they are known, so that what they were made of need not be kept until they are sent. One for
 * those that become known together: their memory serves others once all of them were sent.
 */
export interface MessageEncoder {
  encode(message: WireMessage): EncodedMessage;
}

/** What a producer takes; encoded ones come from an encoder of the same Kafka. */
export type Sendable = WireMessage | EncodedMessage;

export interface Producer {
  /**
   * Resolves once every message is acknowledged by all in-sync replicas; order is kept per key, across calls too.
   * After a failure any part of the messages may stand on the topic, so send them all again: readers de-duplicate.
   * @returns where the first message of each partition stands
   */
  send(messages: readonly Sendable[]): Promise<readonly Sent[]>;
  close(): Promise<void>;
}

/** Where what was sent to a partition begins. */
export interface Sent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
}

export interface FencedProducerOptions {
  /** In ms. Default: half of the lease. */
  readonly sendWithin?: number;
}

/** The coordinator forgets a name that was not opened for seven days, and with it whom to shut out: open it each day. In ms. */
export const RENEW_PRODUCER_MS = 86_400_000;

/**
 * A producer whose successor under the same id shuts it out: once a partition holds a record of the successor, it refuses
 * what this one still has under way, however late that comes. So a successor that first sends all that was not known to
 * be sent cannot be overtaken by it. Unlike in a transaction, what arrives before that stays.
 */
export interface FencedProducer extends Producer {
  /** Before the first send, and again after each that failed. What a former one of this name sends then fails. */
  open(): Promise<void>;
}

export interface IncomingMessage {
  readonly offset: string;
  readonly timestamp: Date;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | string | null | (Buffer | string | null)[] | undefined>>;
}

export interface IncomingBatch {
  readonly topic: string;
  readonly partition: number;
  /**
   * Made of their bytes one by one, as they are gone through: all at once may take a hundred times as much. All of them
   * again each time, also where a former time was broken off: a further try depends on it.
   */
  readonly messages: Iterable<IncomingMessage>;
  /** To be called in long work, or the group takes the partition away. */
  heartbeat(): Promise<void>;
  /** True once the partition was taken away or the consumer is stopping: what is not committed is to be left. */
  isStale(): boolean;
  /**
   * It cannot be handled yet, or takes too long: its partition is read again in {@link LATER_MS}. Others are read
   * meanwhile; a batch that is only held would hold them all up.
   * @param done the offset of the last message that was handled with all before it, and is committed. Default: none
   */
  later(done?: string): void;
  /**
   * Its partition is read from this offset next, wherever the group stands, or from what is left there; nothing of the batch is
   * committed. For whoever keeps its places elsewhere.
   */
  readFrom(offset: string): void;
}

export interface ConsumerOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Offsets are committed after this resolves, unless the batch is stale by then. Throwing is a crash. */
  onBatch(batch: IncomingBatch): Promise<void>;
  /** The consumer is dead and will not come back, or a partition of its group stands still: end the process. */
  onCrash(error: Error): void;
  /** Asked where a partition stands still: whether what messages are handled with is away. Default: it is not. */
  readonly excused?: () => Promise<boolean>;
  /** Bytes of one fetch. Default `FETCH_BYTES`. */
  readonly maxBytes?: number;
}

/** Reads committed messages from the group's offsets, a new group from the beginning. One start, one stop. */
export interface Consumer {
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Whether it fetched lately. */
  healthy(): boolean;
}

export type AclResource = 'topic' | 'group' | 'transactional-id' | 'cluster';
export type AclOperation =
  | 'all'
  | 'read'
  | 'write'
  | 'create'
  | 'delete'
  | 'alter'
  | 'describe'
  | 'describe-configs'
  | 'alter-configs'
  | 'idempotent-write';

export interface AclRule {
  /** `User:<name>`. */
  readonly principal: string;
  readonly resource: AclResource;
  /** `kafka-cluster` for the cluster. */
  readonly name: string;
  /** Default `literal`. A prefix must end in a dot, or `p1` covers `p10`. */
  readonly pattern?: 'literal' | 'prefixed';
  readonly operation: AclOperation;
}

export interface Admin {
  /** Creates what is missing and returns when every topic has its leaders; leaves existing ones as they are. */
  createTopics(topics: readonly Topic[], options?: { replicationFactor?: number }): Promise<void>;
  topicNames(): Promise<string[]>;
  /** The next offsets as a read_committed reader sees them (last stable offsets). */
  endOffsets(topic: string): Promise<{ partition: number; offset: string }[]>;
  /** The next offsets, open transactions or not: what was acknowledged stands before them. @throws where there is no such topic */
  trueEndOffsets(topic: string): Promise<{ partition: number; offset: string }[]>;
  /** Creates a SCRAM-SHA-512 user, or changes its password. */
  putUser(username: string, password: string): Promise<void>;
  /** A missing user is fine. Connections already open last until re-authentication: forbid first. */
  deleteUser(username: string): Promise<void>;
  allow(rules: readonly AclRule[]): Promise<void>;
  forbid(rules: readonly AclRule[]): Promise<void>;
  close(): Promise<void>;
}

/** A message with where it stood. */
export interface PlacedMessage extends IncomingMessage {
  readonly topic: string;
  readonly partition: number;
}

/** A piece of a partition: from the offset `from` to before `to`. */
export interface Span {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

export interface ReadOptions {
  /** The principal must have READ on it. Default: a new name, for principals that may read any group. */
  readonly groupId?: string;
  /** Only this one; open transactions on the others hold nothing up. Default: all. */
  readonly partition?: number;
  /**
   * Only what stands among the last so many offsets of each partition, of which markers of transactions and aborted records
   * take some. Default: all.
   */
  readonly last?: number;
  /** Also what a transaction has not committed, or has aborted. Default false. */
  readonly uncommitted?: boolean;
  /** The first offset of each partition that is wanted; where one is not named, from its beginning. Instead of `last`. */
  readonly from?: ReadonlyMap<number, bigint>;
  /** Go on after the end was reached, until the signal or the loop ends. Default false. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

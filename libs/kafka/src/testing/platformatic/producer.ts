import { bytesOf, type WireMessage } from '@castiron/contracts';
import {
  Admin,
  compatibilityPartitioner,
  FindCoordinatorKeyTypes,
  initProducerIdV4,
  NumericMap,
  ProduceAcks,
  produceV11,
  type Connection,
  type MessageRecord,
} from '@platformatic/kafka';
import { BaseOffsets } from '../../base-offsets.js';
import { within } from '../../deadline.js';
import { sendDeadlineOf } from '../../producer.js';
import {
  DEFAULT_LEASE_MS,
  type EncodedMessage,
  type FencedProducer,
  type KafkaSettings,
  type Sendable,
  type Sent,
} from '../../types.js';
import { discard, optionsOf } from './client.js';

const TRANSACTION_TIMEOUT_MS = 10_000;

interface Live {
  readonly client: Admin;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly sequences: NumericMap;
  readonly offsets: BaseOffsets;
}

/** It encodes by itself, when it sends. */
export class EncodedForPlatformatic implements EncodedMessage {
  readonly topic: string;
  readonly bytes: number;
  constructor(readonly message: WireMessage) {
    this.topic = message.topic;
    this.bytes = bytesOf(message);
  }
}

export const recordOf = ({ topic, key, value, headers, partition }: WireMessage): MessageRecord => ({
  topic,
  ...(partition !== undefined && { partition }),
  key: Buffer.from(key),
  // Its types know no record without a value; its bytes do.
  value: (value === null ? null : Buffer.from(value)) as Buffer,
  headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
});

/**
 * On the client's requests rather than on its producer: that one takes no producer id of a transactional id but in a
 * transaction, and so cannot be fenced without one. Nothing is sent twice by itself; a failed send ends the producer id.
 */
export class PlatformaticProducer implements FencedProducer {
  private live: Promise<Live> | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly settings: KafkaSettings,
    private readonly transactionalId?: string,
  ) {}

  open(): Promise<void> {
    return this.inTurn('opening', async () => {
      await this.discard();
      await (this.live = this.connect());
    });
  }

  async send(messages: readonly Sendable[]): Promise<readonly Sent[]> {
    if (messages.length === 0) return [];
    return this.inTurn('sending', () => this.attempt(messages));
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.queue;
    await this.discard();
  }

  private inTurn<T>(what: string, work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(async () => {
      if (this.closed) throw new Error('this producer is closed');
      try {
        return await within(sendDeadlineOf(this.settings.leaseMs ?? DEFAULT_LEASE_MS), what, work());
      } catch (error) {
        void this.discard();
        throw error;
      }
    });
    this.queue = done.catch(() => undefined);
    return done;
  }

  private async attempt(messages: readonly Sendable[]): Promise<readonly Sent[]> {
    if (this.live === undefined && this.transactionalId !== undefined)
      throw new Error(`the producer ${this.transactionalId} is not open`);
    const { client, sequences, offsets, ...id } = await (this.live ??= this.connect());
    const metadata = await client.metadata({ topics: [...new Set(messages.map(({ topic }) => topic))] });
    const byLeader = new Map<number, MessageRecord[]>();
    for (const message of messages) {
      const record = recordOf(message instanceof EncodedForPlatformatic ? message.message : (message as WireMessage));
      const topic = metadata.topics.get(message.topic);
      if (topic === undefined) throw new Error(`there is no topic ${message.topic}`);
      record.partition ??= compatibilityPartitioner(record, record.key as Buffer) % topic.partitionsCount;
      const leader = topic.partitions[record.partition]?.leader ?? -1;
      const records = byLeader.get(leader);
      if (records === undefined) byLeader.set(leader, [record]);
      else records.push(record);
    }
    const connections = await client.connectToBrokers([...byLeader.keys()]);
    const sent = await Promise.all(
      [...byLeader].map(async ([leader, records]) => {
        const connection = connections.get(leader) as Connection;
        const options = { ...id, sequences, compression: 'none' as const };
        const answer = await produceV11.api.async(connection, ProduceAcks.ALL, 15_000, records, options);
        if (typeof answer === 'boolean') throw new Error('the broker did not answer');
        const begun = answer.responses.flatMap(({ name, partitionResponses }) =>
          offsets.check(
            partitionResponses.map(({ index, baseOffset }) => ({
              topicName: name,
              partition: index,
              errorCode: 0,
              baseOffset: String(baseOffset),
            })),
          ),
        );
        for (const { topic, partition } of records) sequences.postIncrement(`${topic}:${partition}`, 1, 0);
        return begun;
      }),
    );
    return sent.flat();
  }

  private async connect(): Promise<Live> {
    const client = new Admin(optionsOf(this.settings));
    try {
      const { transactionalId = null } = this;
      for (;;) {
        const connection = await this.coordinator(client);
        try {
          const id = await initProducerIdV4.api.async(connection, transactionalId, TRANSACTION_TIMEOUT_MS, -1n, -1);
          const { producerId, producerEpoch } = id;
          return { client, producerId, producerEpoch, sequences: new NumericMap(), offsets: new BaseOffsets() };
        } catch (error) {
          // Of a name that nobody had before the coordinator has to make room first, and says so.
          if ((error as { canRetry?: boolean }).canRetry === false || client.closed) throw error;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      }
    } catch (error) {
      discard(client);
      throw error;
    }
  }

  private async coordinator(client: Admin): Promise<Connection> {
    if (this.transactionalId === undefined) {
      const [any] = (await client.connectToBrokers()).values();
      return any as Connection;
    }
    const keys = { keyType: FindCoordinatorKeyTypes.TRANSACTION, keys: [this.transactionalId] };
    const [found] = await client.findCoordinator(keys);
    const connection = (await client.connectToBrokers([found?.nodeId ?? -1])).get(found?.nodeId ?? -1);
    return connection as Connection;
  }

  private async discard(): Promise<void> {
    const { live } = this;
    this.live = undefined;
    const made = await live?.catch(() => undefined);
    if (made !== undefined) discard(made.client);
  }
}

import type { Producer as KafkaJsProducer } from 'kafkajs';
import { BaseOffsets } from './base-offsets.js';
import { createClient, type Client } from './client.js';
import { CLOSING_MS, within } from './deadline.js';
import { connectFenced } from './fenced-id.js';
import { groupByTopic } from './grouped.js';
import { createPartitioner } from './partitioner.js';
import { EncodedRecord } from './record-encoder.js';
import {
  DEFAULT_LEASE_MS,
  type FencedProducer,
  type FencedProducerOptions,
  type KafkaSettings,
  type Sendable,
  type Sent,
} from './types.js';

/** A send that took longer is given up; the lease of whoever sends lasts twice as long. In ms. */
export const sendDeadlineOf = (leaseMs: number): number => leaseMs / 2;

/** Whoever opens asks afterwards whether it still may send, so this is bounded by patience alone. */
const OPEN_DEADLINE_MS = 5_000;

interface Live {
  readonly client: Client;
  readonly producer: KafkaJsProducer;
  readonly offsets: BaseOffsets;
}

/**
 * Idempotent, one send at a time. After a failed send the kafkajs producer is thrown away: with a sequence number used
 * twice, the broker would drop a later message as a duplicate and acknowledge it.
 */
export class IdempotentProducer implements FencedProducer {
  private live: Promise<Live> | undefined;
  private queue: Promise<unknown> = Promise.resolve();
  private readonly closing = new AbortController();
  private readonly givenUp = new AbortController();

  /** @param transactionalId whose successor shuts it out; without one it opens by itself, and again after a failure */
  constructor(
    private readonly settings: KafkaSettings,
    private readonly transactionalId?: string,
    private readonly options: FencedProducerOptions = {},
  ) {}

  open(): Promise<void> {
    return this.inTurn(async () => {
      await this.discard();
      const client = this.client();
      const opening = this.connect(client);
      try {
        await within(OPEN_DEADLINE_MS, 'opening the producer', opening, this.closing.signal);
        this.live = opening;
      } catch (error) {
        client.destroySockets();
        throw error;
      }
    });
  }

  send(messages: readonly Sendable[]): Promise<readonly Sent[]> {
    if (messages.length === 0) return Promise.resolve([]);
    const deadline = this.options.sendWithin ?? sendDeadlineOf(this.settings.leaseMs ?? DEFAULT_LEASE_MS);
    return this.inTurn(async () => {
      try {
        return await within(deadline, 'sending', this.attempt(messages), this.givenUp.signal);
      } catch (error) {
        await this.discard();
        throw error;
      }
    });
  }

  /** Gives a moment to the send under way, and none to what still opens. */
  async close(): Promise<void> {
    this.closing.abort();
    await within(CLOSING_MS, 'closing', this.queue).catch(() => undefined);
    this.givenUp.abort();
    await this.queue;
    await this.discard();
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(() => {
      if (this.closing.signal.aborted) throw new Error('this producer is closed');
      return work();
    });
    this.queue = done.catch(() => undefined);
    return done;
  }

  private async attempt(messages: readonly Sendable[]): Promise<readonly Sent[]> {
    if (this.live === undefined && this.transactionalId !== undefined) {
      throw new Error(`the producer ${this.transactionalId} is not open`);
    }
    const { producer, offsets } = await (this.live ??= this.connect(this.client()));
    const answers = await producer.sendBatch({ topicMessages: groupByTopic(messages), acks: -1 });
    const sent = offsets.check(answers);
    for (const message of messages) if (message instanceof EncodedRecord) message.sent();
    return sent;
  }

  private client(): Client {
    return createClient(this.settings, { initialRetryTime: 50, maxRetryTime: 1_000, retries: 6 });
  }

  private async connect(client: Client): Promise<Live> {
    const offsets = new BaseOffsets();
    const producer = client.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: offsets.noting(createPartitioner),
      ...(this.transactionalId !== undefined && { transactionalId: this.transactionalId }),
    });
    try {
      await (this.transactionalId === undefined ? producer.connect() : connectFenced(producer));
    } catch (error) {
      client.destroySockets();
      throw error;
    }
    return { client, producer, offsets };
  }

  private async discard(): Promise<void> {
    const live = this.live;
    this.live = undefined;
    if (live === undefined) return;
    const drop = live.then(async ({ client, producer }) => {
      // First the sockets, so that nothing of the failed send follows; then what kafkajs keeps.
      client.destroySockets();
      await producer.disconnect();
    });
    await within(2_000, 'disconnecting', drop).catch(() => undefined);
  }
}

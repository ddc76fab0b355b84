import type { WireMessage } from '@castiron/contracts';
import type { Producer as KafkaJsProducer, Transaction } from 'kafkajs';
import { BaseOffsets } from './base-offsets.js';
import { createClient, type Client } from './client.js';
import { CLOSING_MS, within } from './deadline.js';
import { groupByTopic } from './grouped.js';
import { createPartitioner } from './partitioner.js';
import type { KafkaSettings, TransactionalProducer } from './types.js';

/** The broker aborts a transaction that is open for longer: until then it holds back every reader of its partitions. */
export const TRANSACTION_TIMEOUT_MS = 10_000;

/** Opening waits for the broker to end a predecessor's transaction. */
const OPEN_DEADLINE_MS = 15_000;

interface Live {
  readonly client: Client;
  readonly producer: KafkaJsProducer;
  readonly offsets: BaseOffsets;
  /** Begun ahead: kafkajs asks for the producer id when its first transaction begins, which is what fences. */
  transaction: Transaction | undefined;
}

/** One transaction a send. Whatever fails ends this producer's life until it is opened anew. */
export class FencingProducer implements TransactionalProducer {
  private live: Live | undefined;
  private readonly closing = new AbortController();
  private readonly givenUp = new AbortController();
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: KafkaSettings,
    private readonly transactionalId: string,
  ) {}

  open(): Promise<void> {
    return this.inTurn(async () => {
      await this.discard();
      this.live = await this.connect();
    });
  }

  send(messages: readonly WireMessage[], last: readonly WireMessage[] = []): Promise<void> {
    return this.inTurn(async () => {
      const live = this.live;
      if (live === undefined) throw new Error(`the producer ${this.transactionalId} is not open`);
      if (messages.length + last.length === 0) return;
      try {
        const work = this.inTransaction(live, [...messages, ...last]);
        await within(TRANSACTION_TIMEOUT_MS, 'the transaction', work, this.givenUp.signal);
      } catch (error) {
        await this.discard();
        throw error;
      }
    });
  }

  /** Gives a moment to the transaction under way, and none to what still opens. */
  async close(): Promise<void> {
    this.closing.abort();
    await within(CLOSING_MS, 'closing', this.queue).catch(() => undefined);
    this.givenUp.abort();
    await this.inTurn(() => this.discard());
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(work);
    this.queue = done.catch(() => undefined);
    return done;
  }

  private async inTransaction(live: Live, messages: readonly WireMessage[]): Promise<void> {
    const transaction = live.transaction ?? (await live.producer.transaction());
    live.transaction = undefined;
    live.offsets.check(await transaction.sendBatch({ topicMessages: groupByTopic(messages), acks: -1 }));
    await transaction.commit();
  }

  private async connect(): Promise<Live> {
    // kafkajs's first retry of 300 ms would follow nearly every commit (CONCURRENT_TRANSACTIONS): keep it short.
    const retry = { initialRetryTime: 3, multiplier: 2, maxRetryTime: 1_000, retries: 24 };
    const client = createClient(this.settings, retry);
    const offsets = new BaseOffsets();
    const producer = client.kafka.producer({
      transactionalId: this.transactionalId,
      transactionTimeout: TRANSACTION_TIMEOUT_MS,
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: offsets.noting(createPartitioner),
      retry,
    });
    try {
      const opening = producer.connect().then(() => producer.transaction());
      const transaction = await within(
        OPEN_DEADLINE_MS,
        'opening the transactional producer',
        opening,
        this.closing.signal,
      );
      return { client, producer, offsets, transaction };
    } catch (error) {
      client.destroySockets();
      void producer.disconnect().catch(() => undefined);
      throw error;
    }
  }

  private async discard(): Promise<void> {
    const live = this.live;
    this.live = undefined;
    if (live === undefined) return;
    live.client.destroySockets();
    await within(2_000, 'disconnecting', live.producer.disconnect()).catch(() => undefined);
  }
}

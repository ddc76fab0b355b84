import type { WireMessage } from '@castiron/contracts';
import { compatibilityPartitioner, Producer } from '@platformatic/kafka';
import { within } from '../../deadline.js';
import { TRANSACTION_TIMEOUT_MS } from '../../transactional-producer.js';
import type { KafkaSettings, TransactionalProducer } from '../../types.js';
import { discard, optionsOf } from './client.js';
import { recordOf } from './producer.js';

const OPEN_DEADLINE_MS = 15_000;

/** Without it the client claims to be producer 0, and the broker refuses whoever is not the first of the name. */
const ANEW = { producerId: -1n, producerEpoch: -1 };

type Bytes = Buffer | null;
type Client = Producer<Buffer, Bytes, Buffer, Buffer>;
type Transaction = Awaited<ReturnType<Client['beginTransaction']>>;

export class PlatformaticTransactions implements TransactionalProducer {
  private live: { readonly client: Client; transaction: Transaction | undefined } | undefined;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly settings: KafkaSettings,
    private readonly transactionalId: string,
  ) {}

  open(): Promise<void> {
    return this.inTurn(async () => {
      this.discard();
      const client: Client = new Producer({
        ...optionsOf(this.settings),
        idempotent: true,
        transactionalId: this.transactionalId,
        // Also what the broker is told of how long a transaction may last.
        timeout: TRANSACTION_TIMEOUT_MS,
        retryDelay: 5,
        retries: 2_000,
        partitioner: compatibilityPartitioner,
      });
      this.live = { client, transaction: undefined };
      try {
        this.live.transaction = await within(OPEN_DEADLINE_MS, 'opening', client.beginTransaction(ANEW));
      } catch (error) {
        this.discard();
        throw error;
      }
    });
  }

  send(messages: readonly WireMessage[], last: readonly WireMessage[] = []): Promise<void> {
    return this.inTurn(async () => {
      const { live } = this;
      if (live === undefined) throw new Error(`the producer ${this.transactionalId} is not open`);
      if (messages.length + last.length === 0) return;
      const all = [...messages, ...last].map(recordOf);
      const work = async (): Promise<void> => {
        const transaction = live.transaction ?? (await live.client.beginTransaction(ANEW));
        live.transaction = undefined;
        await transaction.send({ messages: all, acks: -1 });
        await transaction.commit();
      };
      try {
        await within(TRANSACTION_TIMEOUT_MS, 'the transaction', work());
      } catch (error) {
        this.discard();
        throw error;
      }
    });
  }

  close(): Promise<void> {
    return this.inTurn(async () => this.discard());
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(work);
    this.queue = done.catch(() => undefined);
    return done;
  }

  private discard(): void {
    const { live } = this;
    this.live = undefined;
    if (live !== undefined) discard(live.client);
  }
}

import type { ReceivedEvent } from '@castiron/contracts';
import { connect, type Kafka } from '@castiron/kafka';
import { createMetrics } from '@castiron/observability';
import { subscribe } from '@castiron/inbox';
import type { Tx } from '@castiron/transactions';
import { benchInbox } from '../bench-inbox.js';
import { withDatabase } from '../database.js';
import { contractOn, type BenchContract } from '../events.js';
import type { OnTopic } from '../places.js';
import { productPath } from '../product-path.js';
import { watchOwnMemory, WorkCounter, type Work } from '../stopwatch.js';

const metrics = createMetrics('bench');

/** The same broker; hands on one message at a time. */
const oneByOne = (kafka: Kafka): Kafka => ({
  ...kafka,
  consumer: (options) =>
    kafka.consumer({
      ...options,
      onBatch: async (batch) => {
        for (const message of batch.messages) await options.onBatch({ ...batch, messages: [message] });
      },
    }),
});

type Received = ReceivedEvent<BenchContract>;

/** Reads a topic through the inbox, with a handler that writes one row for each event. */
export async function handle(
  given: OnTopic & { name: string; count: number; batches: boolean },
): Promise<Work & { peakMiB: number }> {
  const { url, kafka: settings, topic, name, count, batches } = given;
  return withDatabase(url, async (dataSource) => {
    const kafka = connect(settings);
    const handled = new WorkCounter(count);
    const write = async (events: readonly Received[], tx: Tx): Promise<void> => {
      await tx.manager.query(
        `INSERT INTO effects (consumer, customer, version, body)
         SELECT $1, e.* FROM unnest($2::uuid[], $3::int[], $4::text[]) AS e`,
        [
          name,
          events.map(({ key }) => key),
          events.map(({ data }) => data?.version),
          events.map(({ data }) => data?.attributes.registeredAddress?.sealed),
        ],
      );
      tx.afterCommit(() => handled.add(events.length));
    };
    const contract = contractOn(topic);
    const { transactions, room, stop } = await productPath({ dataSource, metrics, publications: {} });
    const inbox = benchInbox({
      name,
      dataSource,
      transactions,
      kafka: batches ? kafka : oneByOne(kafka),
      topics: [topic],
      subscriptions: [
        subscribe(contract, { handle: (event, tx) => write([event], tx), ...(batches && { handleBatch: write }) }),
      ],
      room,
      metrics,
    });
    const memory = watchOwnMemory();
    await inbox.start();
    const work = await handled.finished;
    await inbox.stop();
    await stop();
    return { ...work, peakMiB: memory() };
  });
}

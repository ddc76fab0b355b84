import type { ReceivedEvent } from '@castiron/contracts';
import { subscribe, type Inbox } from '@castiron/inbox';
import { connect } from '@castiron/kafka';
import { createMetrics } from '@castiron/observability';
import type { Tx } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { benchInbox } from '../bench-inbox.js';
import { connected } from '../database.js';
import { contractOn, type BenchContract } from '../events.js';
import { percentile } from '../figure.js';
import type { OnTopic } from '../places.js';
import { productPath } from '../product-path.js';

type Received = ReceivedEvent<BenchContract>;

let running: { dataSource: DataSource; inbox: Inbox; leave: () => Promise<void> } | undefined;
let handled = 0;
let latencies: number[] = [];

/** A service that keeps the last version of each customer, so that its own table does not grow. */
export async function start({ url, kafka, topic }: OnTopic): Promise<void> {
  const dataSource = await connected(url);
  await dataSource.query(
    `CREATE TABLE latest (customer uuid PRIMARY KEY, version int NOT NULL) WITH (fillfactor = 50)`,
  );
  const handleBatch = async (events: readonly Received[], tx: Tx): Promise<void> => {
    await tx.manager.query(
      `INSERT INTO latest (customer, version)
       SELECT customer, max(version) FROM unnest($1::uuid[], $2::int[]) AS e (customer, version) GROUP BY customer
       ON CONFLICT (customer) DO UPDATE SET version = excluded.version`,
      [events.map(({ key }) => key), events.map(({ data }) => data?.version)],
    );
    tx.afterCommit(() => {
      handled += events.length;
      const now = Date.now();
      for (const { meta } of events) latencies.push(now - meta.time.getTime());
    });
  };
  const metrics = createMetrics('bench');
  const { transactions, room, stop: leave } = await productPath({ dataSource, metrics, publications: {} });
  const inbox = benchInbox({
    name: 'bench.soak',
    dataSource,
    transactions,
    kafka: connect(kafka),
    topics: [topic],
    subscriptions: [subscribe(contractOn(topic), { handle: (event, tx) => handleBatch([event], tx), handleBatch })],
    room,
    metrics,
  });
  await inbox.start();
  running = { dataSource, inbox, leave };
}

export interface Effects {
  /** Events whose effect is committed. */
  readonly handled: number;
  /** From publishing to the committed effect, of the events since the last look, in ms; null where there were none. */
  readonly latency: { readonly p50: number; readonly p99: number } | null;
  readonly residentMiB: number;
}

export async function look(_: object): Promise<Effects> {
  const since = latencies;
  latencies = [];
  const latency = since.length === 0 ? null : { p50: percentile(since, 0.5), p99: percentile(since, 0.99) };
  return { handled, latency, residentMiB: process.memoryUsage.rss() / 2 ** 20 };
}

export async function stop(_: object): Promise<void> {
  await running?.inbox.stop();
  await running?.leave();
  await running?.dataSource.destroy();
}

import { outboxKey } from '@castiron/transactions';
import type { DataSource } from 'typeorm';
import { BenchRelay } from '../bench-relay.js';
import { connected } from '../database.js';
import { contractOn, dataOf } from '../events.js';
import { atRate } from '../pace.js';
import type { OnTopic } from '../places.js';
import { productPath } from '../product-path.js';

let running:
  { dataSource: DataSource; relay: BenchRelay; publish: () => Promise<void>; leave: () => Promise<void> } | undefined;
let published = 0;

function sender() {
  if (running === undefined) throw new Error('it was not started');
  return running;
}

/** A service that commits one event a transaction, its relay beside it. */
export async function start({ topic, ...places }: OnTopic): Promise<void> {
  const contract = contractOn(topic);
  const dataSource = await connected(places.url);
  const relay = new BenchRelay(places);
  await relay.start();
  const { transactions, stop: leave } = await productPath({
    dataSource,
    metrics: relay.metrics,
    publications: { contract },
    relay: relay.outbox,
  });
  const publish = async (): Promise<void> => {
    const data = dataOf((published += 1));
    await transactions.run([outboxKey(topic, data.customer)], async (tx) => tx.publish(contract, data));
  };
  running = { dataSource, relay, publish, leave };
}

/** Clients that commit one after the other, each waiting for its answer. */
export async function flatOut({ clients, seconds }: { clients: number; seconds: number }): Promise<void> {
  const { publish } = sender();
  const until = performance.now() + seconds * 1000;
  const client = async (): Promise<void> => {
    while (performance.now() < until) await publish();
  };
  await Promise.all(Array.from({ length: clients }, client));
}

export async function pace({ perSecond, seconds }: { perSecond: number; seconds: number }): Promise<void> {
  await atRate(perSecond, Math.ceil(perSecond * seconds), sender().publish);
}

/** What was published so far, and the memory of this process. */
export async function look(_: object): Promise<{ published: number; residentMiB: number }> {
  return { published, residentMiB: process.memoryUsage.rss() / 2 ** 20 };
}

export async function stop(_: object): Promise<void> {
  const { relay, dataSource, leave } = sender();
  await leave();
  await relay.stop();
  await dataSource.destroy();
}

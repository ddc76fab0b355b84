import { connect } from '@castiron/kafka';
import { isPassing } from '@castiron/failures';
import { subscribe } from '@castiron/inbox';
import { outboxKey } from '@castiron/transactions';
import { benchInbox } from '../bench-inbox.js';
import { BenchRelay } from '../bench-relay.js';
import { withDatabase } from '../database.js';
import { contractOn, dataOf } from '../events.js';
import { atRate, type Paced } from '../pace.js';
import type { OnTopic } from '../places.js';
import { productPath } from '../product-path.js';
import { sharedClock, stopwatch } from '../stopwatch.js';

/** Like a client that asks again where all connections were busy for long: what that costs shows in the latency. */
async function untilDone(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }
}

/** Commits one event a transaction at a steady rate, its relay beside it unless somebody else sends. */
export async function pace(given: OnTopic & { perSecond: number; count: number; relay: boolean }): Promise<Paced> {
  const { url, topic, perSecond, count } = given;
  const contract = contractOn(topic);
  return withDatabase(url, async (dataSource) => {
    const relay = new BenchRelay(given);
    if (given.relay) await relay.start();
    const { transactions, stop } = await productPath({
      dataSource,
      metrics: relay.metrics,
      publications: { contract },
      ...(given.relay && { relay: relay.outbox }),
    });
    const committed = new Float64Array(count);
    const due = await atRate(perSecond, count, async (n) => {
      const data = dataOf(n);
      await untilDone(() =>
        transactions.run([outboxKey(topic, data.customer)], async (tx) => tx.publish(contract, data)),
      );
      committed[n] = sharedClock();
    });
    await stop();
    if (!given.relay) return { due, begun: committed };
    await relay.sent(count);
    await relay.stop();
    return { due, begun: committed };
  });
}

/** Relay and inbox with nothing to do. @returns their share of a core, and resident memory */
export async function idle(
  given: OnTopic & { settle: number; seconds: number },
): Promise<{ percent: number; residentMiB: number }> {
  const { url, kafka: settings, topic, settle, seconds } = given;
  return withDatabase(url, async (dataSource) => {
    const kafka = connect(settings);
    const relay = new BenchRelay(given);
    await relay.start();
    const { metrics, outbox } = relay;
    const { transactions, room, stop } = await productPath({ dataSource, metrics, publications: {}, relay: outbox });
    const inbox = benchInbox({
      name: `${topic}.idle`,
      dataSource,
      transactions,
      kafka,
      topics: [topic],
      subscriptions: [subscribe(contractOn(topic), { handle: async () => undefined })],
      room,
      metrics,
    });
    await inbox.start();
    await new Promise((resolve) => setTimeout(resolve, settle * 1000));
    const lap = stopwatch();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const { ms, cpuUs } = lap();
    const residentMiB = process.memoryUsage.rss() / 2 ** 20;
    await inbox.stop();
    await stop();
    await relay.stop();
    return { percent: cpuUs / ms / 10, residentMiB };
  });
}

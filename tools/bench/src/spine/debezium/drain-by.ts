import type { Bench } from '../bench.js';
import type { Work } from '../stopwatch.js';
import type { OutboxConnector } from './outbox-connector.js';

/** How often the end of a topic is looked at. */
const LOOK_MS = 100;

const pause = () => new Promise((resolve) => setTimeout(resolve, LOOK_MS));

/** Has Debezium send what waits; counted from the first records on its topic to the last. */
export async function drainBy(
  bench: Bench,
  connector: OutboxConnector,
  topic: string,
  count: number,
): Promise<Work & { readonly peakMiB: number }> {
  const { use } = connector.worker;
  const before = await bench.recordsOn(topic);
  let peakMiB = 0;
  const look = async () => {
    peakMiB = Math.max(peakMiB, use.residentMiB());
    return { events: (await bench.recordsOn(topic)) - before, at: performance.now(), cpuUs: use.cpuUs() };
  };
  await connector.resume();
  let first = await look();
  let now = first;
  while (now.events < count) {
    await pause();
    now = await look();
    if (first.events === 0) first = now;
  }
  await connector.pause();
  return { events: now.events - first.events, ms: now.at - first.at, cpuUs: now.cpuUs - first.cpuUs, peakMiB };
}

/** Has somebody else send it, looking at the topic as often. */
export async function watchTopic<T>(bench: Bench, topic: string, sending: () => Promise<T>): Promise<T> {
  let isDone = false;
  const sent = sending().finally(() => (isDone = true));
  while (!isDone) {
    await bench.recordsOn(topic);
    await Promise.race([sent, pause()]);
  }
  return sent;
}

import { BenchRelay } from '../bench-relay.js';
import type { Places } from '../places.js';
import { watchOwnMemory, WorkCounter, type Work } from '../stopwatch.js';

/** Runs the relay until the backlog is on its topic. */
export async function drain({ count, ...places }: Places & { count: number }): Promise<Work & { peakMiB: number }> {
  const sent = new WorkCounter(count);
  const relay = new BenchRelay(places);
  const memory = watchOwnMemory();
  await relay.start();
  void relay.sent(count, (events) => sent.add(events));
  const work = await sent.finished;
  await relay.stop();
  return { ...work, peakMiB: memory() };
}

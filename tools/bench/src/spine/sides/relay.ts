import { createMetrics } from '@castiron/observability';
import { BenchRelay } from '../bench-relay.js';
import type { Places } from '../places.js';
import { watchOwnMemory, WorkCounter, type Work } from '../stopwatch.js';

// What every service measures of itself anyway.
createMetrics('bench');

/**
 * Of a backlog, the part that is sent before it is measured: each round has a thread of its own, whose code V8 has not
 * compiled yet. Every other side is warm from the rounds before, as a service's relay is from its life.
 */
const WARM_UP = 1 / 3;

/** Runs the relay until the backlog is on its topic. */
export async function drain({ count, ...places }: Places & { count: number }): Promise<Work & { peakMiB: number }> {
  const sent = new WorkCounter(count, count * WARM_UP);
  const relay = new BenchRelay(places);
  const memory = watchOwnMemory();
  await relay.start();
  void relay.sent(count, (events) => sent.add(events));
  const work = await sent.finished;
  await relay.stop();
  return { ...work, peakMiB: memory() };
}

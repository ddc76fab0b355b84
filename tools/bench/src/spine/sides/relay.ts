import { connect } from '@castiron/kafka';
import { createMetrics } from '@castiron/observability';
import { Relay } from '@castiron/outbox';
import { tellingOfSends } from '../acknowledged.js';
import { silent, withDatabase } from '../database.js';
import type { Places } from '../places.js';
import { watchOwnMemory, WorkCounter, type Work } from '../stopwatch.js';

const metrics = createMetrics('bench');

/** Runs the relay until the backlog is on its topic. */
export async function drain({ url, kafka, count }: Places & { count: number }): Promise<Work & { peakMiB: number }> {
  return withDatabase(url, async (dataSource) => {
    const sent = new WorkCounter(count);
    const relay = new Relay({
      name: 'bench',
      dataSource,
      kafka: tellingOfSends(connect(kafka), (events) => sent.add(events)),
      logger: silent,
      metrics,
    });
    const memory = watchOwnMemory();
    await relay.start();
    const work = await sent.finished;
    await relay.stop();
    return { ...work, peakMiB: memory() };
  });
}

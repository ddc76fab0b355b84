import { PerformanceObserver } from 'node:perf_hooks';
import { expect, it, vi } from 'vitest';
import { BenchRelay } from './bench-relay.js';

const places = { url: 'postgres://nobody', kafka: { brokers: [], clientId: 'spec', username: '', password: '' } };

it('a relay of another round counts for itself, and measures nothing of the process once more', async () => {
  const observe = vi.spyOn(PerformanceObserver.prototype, 'observe');
  for (const round of [1, 2]) {
    const { metrics } = new BenchRelay(places);
    expect(await metrics.registry.metrics(), `round ${round}`).toContain('castiron_outbox_sent_total');
  }
  expect(observe).not.toHaveBeenCalled();
});

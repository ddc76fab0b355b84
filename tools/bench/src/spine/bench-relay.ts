import { createMetrics } from '@castiron/observability';
import { RelayThread } from '@castiron/service';
import type { Places } from './places.js';

const LOG_LEVEL = process.env['LOG_LEVEL'] === 'warn' ? 'warn' : 'silent';
const LEASE_MS = 10_000;
/** How often it is looked at what was sent. */
const LOOK_MS = 10;

/** What every service measures of itself: once a process, for what measures it cannot be ended. */
const metrics = createMetrics('bench');
const OF_A_RELAY = /^castiron_outbox_/;

/** The relay as a service runs it, on a thread of its own. */
export class BenchRelay {
  readonly outbox: RelayThread;
  readonly metrics = metrics;

  constructor({ url, kafka }: Places) {
    const settings = {
      name: 'bench',
      logLevel: LOG_LEVEL,
      databaseUrl: url,
      kafkaBrokers: [...kafka.brokers],
      kafkaUsername: kafka.username,
      kafkaPassword: kafka.password,
      kafkaSsl: kafka.ssl ?? false,
      leaseMs: LEASE_MS,
    } as const;
    // What was counted of the relay before is none of this one's.
    const { registry } = metrics;
    for (const { name } of registry.getMetricsAsArray()) if (OF_A_RELAY.test(name)) registry.removeSingleMetric(name);
    this.outbox = new RelayThread(settings, this.metrics);
  }

  start(): Promise<void> {
    return this.outbox.start((error) => {
      throw error;
    });
  }

  stop(): Promise<void> {
    return this.outbox.stop();
  }

  /**
   * Resolves once so many events are on their topics.
   * @param heard is told of those that have come since it was told the last time
   */
  sent(count: number, heard: (events: number) => void = () => undefined): Promise<void> {
    let before = 0;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        const { sent } = this.outbox;
        if (sent > before) heard(sent - before);
        before = sent;
        if (sent < count) return;
        clearInterval(timer);
        resolve();
      }, LOOK_MS);
    });
  }
}

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Makes and finds metrics of one process. Asking twice for a name gives the same metric. */
export interface Metrics {
  readonly registry: Registry;
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  /** A gauge that is measured whenever it is read. */
  watch(name: string, help: string, measure: () => number): void;
  /** A counter whose count is kept elsewhere. */
  watchCount(name: string, help: string, count: () => number): void;
  /** @param buckets upper bounds, by default fit for seconds of an HTTP request */
  histogram(name: string, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram;
}

/** Metrics in a registry of their own, so that several services can live in one test process. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  // Its default looks each 10 ms, which an idle process would do little else than.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });

  const once = <M>(name: string, make: () => M): M => (registry.getSingleMetric(name) as M | undefined) ?? make();
  return {
    registry,
    counter: (name, help, labels = []) =>
      once(name, () => new Counter({ name, help, labelNames: [...labels], registers: [registry] })),
    gauge: (name, help, labels = []) =>
      once(name, () => new Gauge({ name, help, labelNames: [...labels], registers: [registry] })),
    watch: (name, help, measure) => {
      const collect = function (this: Gauge): void {
        this.set(measure());
      };
      new Gauge({ name, help, registers: [registry], collect });
    },
    watchCount: (name, help, count) => {
      const collect = function (this: Counter): void {
        this.reset();
        this.inc(count());
      };
      new Counter({ name, help, registers: [registry], collect });
    },
    histogram: (name, help, labels = [], buckets) =>
      once(
        name,
        () =>
          new Histogram({
            name,
            help,
            labelNames: [...labels],
            registers: [registry],
            ...(buckets && { buckets: [...buckets] }),
          }),
      ),
  };
}

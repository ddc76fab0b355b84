import { AsyncLocalStorage } from 'node:async_hooks';

const storage = new AsyncLocalStorage<string>();

/** What we accept as a correlation id from outside: it lands in logs and Kafka headers. */
const ACCEPTED = /^[A-Za-z0-9._-]{8,64}$/;

/** Runs `work` so that everything in it, awaited or not, knows this id. */
export function runWithCorrelation<T>(id: string, work: () => T): T {
  return storage.run(id, work);
}

/** The id of the request or message that led here; undefined outside of any. */
export function correlationId(): string | undefined {
  return storage.getStore();
}

/** Whether an id from outside is safe to repeat in logs and headers. */
export function isCorrelationId(value: unknown): value is string {
  return typeof value === 'string' && ACCEPTED.test(value);
}

import { MAX_BODY_BYTES } from '@castiron/contracts';

/** Rows a request may carry, and their bytes, with room for what stands around them in its body. */
export const BATCH_ROWS = 500;
export const BATCH_BYTES = MAX_BODY_BYTES - 4_096;

/** Groups a stream into batches of at most `BATCH_ROWS` items and, but for a single larger item, `BATCH_BYTES` of JSON. */
export async function* batchesOf<T>(items: AsyncIterable<T>, jsonOf: (item: T) => unknown): AsyncGenerator<T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for await (const item of items) {
    const size = Buffer.byteLength(JSON.stringify(jsonOf(item)));
    if (batch.length > 0 && (batch.length >= BATCH_ROWS || bytes + size > BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(item);
    bytes += size + 1;
  }
  if (batch.length > 0) yield batch;
}

/** Works on up to `width` batches at a time and gives the answers in the order of the batches. */
export async function* inFlight<T, R>(
  source: AsyncIterable<T>,
  width: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of source) {
      const promise = work(item);
      // Another batch may be the first to be looked at; an early failure must not end the process meanwhile.
      promise.catch(() => undefined);
      running.push(promise);
      if (running.length >= width) yield await (running.shift() as Promise<R>);
    }
    while (running.length > 0) yield await (running.shift() as Promise<R>);
  } finally {
    await Promise.allSettled(running);
  }
}

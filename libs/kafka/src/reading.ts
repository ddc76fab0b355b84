import { randomUUID } from 'node:crypto';
import { MAX_MESSAGE_BYTES } from '@castiron/contracts';
import { ConnectedAdmin } from './admin.js';
import { createClient } from './client.js';
import { within } from './deadline.js';
import { incoming } from './incoming.js';
import type { KafkaSettings, PlacedMessage, ReadOptions } from './types.js';

/** Messages held for a reader that is slower than the broker. */
const BUFFER = 2_000;
/** Fetches without anything, after which a partition is taken to be at its end although its last offset was not seen. */
const IDLE_MS = 3_000;

/** Reads a topic from its beginning; never commits an offset. */
export async function* readTopic(
  settings: KafkaSettings,
  topic: string,
  options: ReadOptions,
): AsyncGenerator<PlacedMessage> {
  const ends = new Map<number, bigint>();
  const admin = new ConnectedAdmin(settings);
  try {
    for (const { partition, offset } of await admin.endOffsets(topic)) ends.set(partition, BigInt(offset));
  } finally {
    await admin.close();
  }
  const follow = options.follow ?? false;
  if (!follow && [...ends.values()].every((end) => end === 0n)) return;

  const client = createClient(settings, { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6 });
  const consumer = client.kafka.consumer({
    groupId: options.groupId ?? `castiron-read-${randomUUID()}`,
    allowAutoTopicCreation: false,
    readUncommitted: false,
    maxWaitTimeInMs: 250,
    maxBytesPerPartition: 2 * MAX_MESSAGE_BYTES,
  });
  const buffer: PlacedMessage[] = [];
  const positions = new Map<number, bigint>();
  let failure: Error | undefined;
  let lastProgress = Date.now();
  let stopped = false;
  let wake = (): void => undefined;
  let drained = (): void => undefined;
  const stop = (): void => {
    stopped = true;
    wake();
    drained();
  };
  options.signal?.addEventListener('abort', stop, { once: true });

  // Counts markers of transactions and aborted records, which are never handed over.
  consumer.on('consumer.end_batch_process', ({ payload }) => {
    positions.set(payload.partition, BigInt(payload.lastOffset) + 1n);
    lastProgress = Date.now();
    wake();
  });
  consumer.on('consumer.fetch', () => wake());
  consumer.on('consumer.crash', ({ payload }) => {
    if (payload.restart) return;
    failure = payload.error;
    wake();
  });
  const atEnd = (): boolean =>
    [...ends].every(([partition, end]) => end === 0n || (positions.get(partition) ?? 0n) >= end) ||
    (positions.size > 0 && Date.now() - lastProgress > IDLE_MS);

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, heartbeat, resolveOffset }) => {
        for (const message of batch.messages) {
          if (stopped) return;
          buffer.push({ ...incoming(message), topic, partition: batch.partition });
          resolveOffset(message.offset);
        }
        wake();
        while (buffer.length > BUFFER && !stopped) {
          await heartbeat();
          await within(2_000, 'reading', new Promise<void>((resolve) => (drained = resolve))).catch(() => undefined);
        }
      },
    });
    for (;;) {
      const next = buffer.shift();
      if (next !== undefined) {
        if (options.signal?.aborted) return;
        yield next;
        if (buffer.length === 0) drained();
        continue;
      }
      if (failure !== undefined) throw failure;
      if (stopped || options.signal?.aborted || (!follow && atEnd())) return;
      await within(1_000, 'reading', new Promise<void>((resolve) => (wake = resolve))).catch(() => undefined);
    }
  } finally {
    stop();
    options.signal?.removeEventListener('abort', stop);
    const closed = consumer.stop().then(() => consumer.disconnect());
    await within(5_000, 'stopping', closed).catch(() => undefined);
    client.destroySockets();
  }
}

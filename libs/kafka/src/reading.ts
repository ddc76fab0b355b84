import { randomUUID } from 'node:crypto';
import { PARTITION_FETCH_BYTES } from '@castiron/contracts';
import { ConnectedAdmin } from './admin.js';
import { createClient } from './client.js';
import { within } from './deadline.js';
import { highWatermarks } from './high-watermarks.js';
import { incoming } from './incoming.js';
import { subscribedAssigner } from './subscribed-assigner.js';
import type { KafkaSettings, PlacedMessage, ReadOptions } from './types.js';

/** Messages held for a reader that is slower than the broker. */
const BUFFER = 2_000;
/** Fetches that brought nothing, after which it is asked whether anything can come before the end. */
const IDLE_FETCHES = 8;

async function stableEnds(settings: KafkaSettings, topic: string): Promise<Map<number, bigint>> {
  const admin = new ConnectedAdmin(settings);
  try {
    return new Map((await admin.endOffsets(topic)).map(({ partition, offset }) => [partition, BigInt(offset)]));
  } finally {
    await admin.close();
  }
}

/** Reads a topic from its beginning; never commits an offset. */
export async function* readTopic(
  settings: KafkaSettings,
  topic: string,
  options: ReadOptions,
): AsyncGenerator<PlacedMessage> {
  const stable = await stableEnds(settings, topic);
  const isWanted = (partition: number): boolean => partition === (options.partition ?? partition);
  const ends = await highWatermarks(settings, topic, [...stable.keys()].filter(isWanted));
  const follow = options.follow ?? false;
  if (!follow && [...ends.values()].every((end) => end === 0n)) return;

  const client = createClient(settings, { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6 });
  const consumer = client.kafka.consumer({
    groupId: options.groupId ?? `castiron-read-${randomUUID()}`,
    allowAutoTopicCreation: false,
    readUncommitted: false,
    maxWaitTimeInMs: 250,
    maxBytesPerPartition: PARTITION_FETCH_BYTES,
    partitionAssigners: [subscribedAssigner(isWanted)],
  });
  const { last } = options;
  const begins = new Map(
    [...ends].map(([partition, end]) => [partition, last === undefined ? 0n : end - BigInt(last)]),
  );
  const buffer: PlacedMessage[] = [];
  const positions = new Map<number, bigint>();
  let failure: Error | undefined;
  let idleFetches = 0;
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
    idleFetches = 0;
    wake();
  });
  consumer.on('consumer.fetch', () => {
    idleFetches += 1;
    wake();
  });
  consumer.on('consumer.group_join', () => {
    for (const [partition, begin] of begins)
      if (begin > 0n) consumer.seek({ topic, partition, offset: begin.toString() });
  });
  consumer.on('consumer.crash', ({ payload }) => {
    if (payload.restart) return;
    failure = payload.error;
    wake();
  });
  /** Whether the end that was asked for is reached; behind an open transaction, that takes until it ends. */
  const atEnd = async (): Promise<boolean> => {
    if ([...ends].every(([partition, end]) => end === 0n || (positions.get(partition) ?? 0n) >= end)) return true;
    if (idleFetches < IDLE_FETCHES) return false;
    idleFetches = 0;
    // Compaction may have taken the last offsets away. With nothing open before them, nothing more can come.
    const now = await stableEnds(settings, topic);
    return [...ends].every(([partition, end]) => (now.get(partition) ?? 0n) >= end) && buffer.length === 0;
  };

  try {
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async (payload) => {
        const { batch } = payload;
        for (const message of batch.messages) {
          if (stopped) return;
          buffer.push({ ...incoming(message), topic, partition: batch.partition });
          payload.resolveOffset(message.offset);
        }
        wake();
        while (buffer.length > BUFFER && !stopped) {
          await payload.heartbeat();
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
      if (stopped || options.signal?.aborted || (!follow && (await atEnd()) && buffer.length === 0)) return;
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

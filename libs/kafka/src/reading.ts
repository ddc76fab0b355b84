import { randomUUID } from 'node:crypto';
import { FETCH_BYTES, PARTITION_FETCH_BYTES } from '@castiron/contracts';
import type { KafkaMessage } from 'kafkajs';
import { createClient } from './client.js';
import { CLOSING_MS, within } from './deadline.js';
import { incoming } from './incoming.js';
import { partitionEnds } from './partition-ends.js';
import { ReadingEnd } from './reading-end.js';
import { subscribedAssigner } from './subscribed-assigner.js';
import type { KafkaSettings, PlacedMessage, ReadOptions } from './types.js';

/** Messages held for a reader that is slower than the broker, and bytes of their values; one fetch more may come. */
const BUFFER = { messages: 2_000, bytes: FETCH_BYTES };
/** A broker that is silent for longer has failed. */
const START_MS = 60_000;
const STOP_MS = 5_000;

const earlier = (one: bigint, other: bigint): bigint => (one < other ? one : other);

/** Reads a topic, or its end; never commits an offset. */
export async function* readTopic(
  settings: KafkaSettings,
  topic: string,
  options: ReadOptions,
): AsyncGenerator<PlacedMessage> {
  const { partition, last, from, uncommitted = false, follow = false, signal } = options;
  const { groupId = `castiron-read-${randomUUID()}` } = options;
  if (signal?.aborted) return;
  const client = createClient(settings, { initialRetryTime: 100, maxRetryTime: 2_000, retries: 6 });
  const consumer = client.kafka.consumer({
    groupId,
    allowAutoTopicCreation: false,
    readUncommitted: uncommitted,
    maxWaitTimeInMs: 250,
    maxBytes: FETCH_BYTES,
    maxBytesPerPartition: PARTITION_FETCH_BYTES,
    partitionAssigners: [subscribedAssigner((one) => one === (partition ?? one))],
  });
  const buffer: { readonly message: KafkaMessage; readonly partition: number; readonly size: number }[] = [];
  let bytes = 0;
  let failure: Error | undefined;
  let stopped = false;
  let wake = (): void => undefined;
  let drained = (): void => undefined;
  const stop = (): void => {
    stopped = true;
    wake();
    drained();
  };
  signal?.addEventListener('abort', stop, { once: true });
  consumer.on('consumer.crash', ({ payload }) => {
    if (payload.restart) return;
    failure = payload.error;
    wake();
  });

  try {
    const ask = () => within(START_MS, 'asking for the end', partitionEnds(settings, topic, partition), signal);
    const ends = await ask();
    const beginOf = (one: number, end: bigint): bigint =>
      earlier(end, from?.get(one) ?? (last === undefined ? 0n : end - BigInt(last)));
    if (!follow && [...ends].every(([one, { end }]) => end === 0n || beginOf(one, end) >= end)) return;
    const reading = new ReadingEnd(ends, ask);
    // Where nothing is wanted of a partition, nothing is waited for.
    for (const [one, { end }] of ends) if (beginOf(one, end) > 0n) reading.cameTo(one, beginOf(one, end));
    // Counts markers of transactions and aborted records, which are never handed over.
    consumer.on('consumer.end_batch_process', ({ payload }) => {
      reading.cameTo(payload.partition, BigInt(payload.lastOffset) + 1n);
      wake();
    });
    consumer.on('consumer.network.request', ({ payload }) => {
      if (payload.apiName !== 'Fetch') return;
      reading.answered(payload.broker);
      wake();
    });
    consumer.on('consumer.group_join', () => {
      for (const [one, { end }] of ends) {
        const begin = beginOf(one, end);
        if (begin > 0n) consumer.seek({ topic, partition: one, offset: begin.toString() });
      }
    });
    const running = consumer
      .connect()
      .then(() => consumer.subscribe({ topics: [topic], fromBeginning: true }))
      .then(() =>
        consumer.run({
          autoCommit: false,
          eachBatch: async (payload) => {
            const { partition: of, messages } = payload.batch;
            for (const message of messages) {
              if (stopped) return;
              const size = message.value?.length ?? 0;
              buffer.push({ message, partition: of, size });
              bytes += size;
              payload.resolveOffset(message.offset);
            }
            wake();
            while ((buffer.length > BUFFER.messages || bytes > BUFFER.bytes) && !stopped) {
              await payload.heartbeat();
              const empty = new Promise<void>((resolve) => (drained = resolve));
              await within(2_000, 'reading', empty).catch(() => undefined);
            }
          },
        }),
      );
    await within(START_MS, 'joining a group', running, signal);
    for (;;) {
      if (signal?.aborted) return;
      const next = buffer.shift();
      if (next !== undefined) {
        bytes -= next.size;
        yield { ...incoming(next.message), topic, partition: next.partition };
        if (buffer.length === 0) drained();
        continue;
      }
      if (failure !== undefined) throw failure;
      if (!follow && (await reading.isReached()) && buffer.length === 0) return;
      await within(1_000, 'reading', new Promise<void>((resolve) => (wake = resolve))).catch(() => undefined);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
  } finally {
    stop();
    signal?.removeEventListener('abort', stop);
    const closed = consumer.stop().then(() => consumer.disconnect());
    await within(signal?.aborted ? CLOSING_MS : STOP_MS, 'stopping', closed).catch(() => undefined);
    client.destroySockets();
  }
}

import { randomUUID } from 'node:crypto';
import { FETCH_BYTES, PARTITION_FETCH_BYTES } from '@castiron/contracts';
import {
  Consumer as Client,
  FetchIsolationLevels,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
} from '@platformatic/kafka';
import { within } from '../../deadline.js';
import { partitionEnds } from '../../partition-ends.js';
import type { KafkaSettings, PlacedMessage, ReadOptions } from '../../types.js';
import { discard, optionsOf } from './client.js';
import { incoming } from './consumer.js';

type Bytes = Buffer | null | undefined;

export async function* readTopic(
  settings: KafkaSettings,
  topic: string,
  options: ReadOptions,
): AsyncGenerator<PlacedMessage> {
  const { groupId = `castiron-read-${randomUUID()}`, follow = false, signal, partition: only, last, from } = options;
  const isWanted = (partition: number): boolean => partition === (only ?? partition);
  const ends = await partitionEnds(settings, topic, only);
  const begin = (partition: number, end: bigint): bigint => {
    const wanted = from?.get(partition) ?? (last === undefined || end < BigInt(last) ? 0n : end - BigInt(last));
    return wanted < end ? wanted : end;
  };
  if (!follow && [...ends].every(([partition, { end }]) => end === 0n || begin(partition, end) >= end)) return;
  const client = new Client<Bytes, Bytes, Bytes, Bytes>({
    ...optionsOf(settings),
    retries: 20,
    groupId,
    autocommit: false,
    ...(options.uncommitted && { isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED }),
    maxWaitTime: 250,
    maxBytes: FETCH_BYTES,
    maxBytesPerPartition: PARTITION_FETCH_BYTES,
  });
  try {
    const stream = await client.consume({
      topics: [topic],
      mode: MessagesStreamModes.MANUAL,
      offsets: [...ends].map(([partition, { end }]) => ({ topic, partition, offset: begin(partition, end) })),
      fallbackMode: MessagesStreamFallbackModes.EARLIEST,
    });
    let failure: Error | undefined;
    let idleFetches = 0;
    let wake = (): void => undefined;
    stream.on('error', (error) => {
      failure = error;
      wake();
    });
    stream.on('fetch', () => {
      idleFetches += 1;
      setImmediate(() => wake());
    });
    stream.on('readable', () => wake());
    signal?.addEventListener('abort', () => wake(), { once: true });
    const atEnd = async (): Promise<boolean> => {
      const position = (partition: number) => stream.offsetsToFetch.get(`${topic}:${partition}`) ?? 0n;
      if ([...ends].every(([partition, { end }]) => position(partition) >= end)) return true;
      if (idleFetches < 8) return false;
      idleFetches = 0;
      const now = await partitionEnds(settings, topic, only);
      return (
        [...ends].every(([partition, { end }]) => (now.get(partition)?.stable ?? 0n) >= end) &&
        stream.readableLength === 0
      );
    };
    for (;;) {
      const message = stream.read();
      if (signal?.aborted) return;
      if (message !== null) {
        idleFetches = 0;
        const { partition } = message as { partition: number };
        if (isWanted(partition)) yield { ...incoming(message as Parameters<typeof incoming>[0]), topic, partition };
        continue;
      }
      if (failure !== undefined) throw failure;
      if (!follow && (await atEnd()) && stream.readableLength === 0) return;
      await within(1_000, 'reading', new Promise<void>((resolve) => (wake = resolve))).catch(() => undefined);
    }
  } finally {
    await within(2_000, 'stopping', client.close(true)).catch(() => undefined);
    discard(client);
  }
}

import { FETCH_BYTES, PARTITION_FETCH_BYTES } from '@castiron/contracts';
import type { Cluster, KafkaMessage } from 'kafkajs';
import { createClient } from './client.js';
import { within } from './deadline.js';
import { clusterOf } from './group-places.js';
import { incoming } from './incoming.js';
import type { IncomingMessage, KafkaSettings, Span } from './types.js';

/** A record of a fetch: kafkajs's types say nothing of markers. */
type Fetched = KafkaMessage & { readonly isControlRecord?: boolean };

/** As much of an answer to a fetch as is used here; to kafkajs's types it may be anything. */
interface Answer {
  readonly responses: readonly { readonly partitions: readonly { readonly messages: readonly Fetched[] }[] }[];
}

/** Kafka's protocol, Fetch: no replica asks, and what is not committed is given out too. */
const [NO_REPLICA, READ_UNCOMMITTED] = [-1, 0];
const MAX_WAIT_MS = 250;
/** Of all spans together. */
const READ_WITHIN_MS = 15_000;

/**
 * What stands on partitions between two offsets, by one connection to each leader and without a group: some milliseconds a
 * span. Also what a transaction has not committed, or has aborted.
 * @param take called with each record, of each span in order
 * @returns the spans that the partition does not reach, or whose begin it has deleted: nobody can tell what stood there
 * @throws where a partition cannot be read
 */
export async function readSpans(
  settings: KafkaSettings,
  spans: readonly Span[],
  take: (message: IncomingMessage, of: Span) => void,
  signal?: AbortSignal,
): Promise<readonly Span[]> {
  const asked = spans.filter(({ from, to }) => from < to);
  const unreachable = spans.filter(({ from, to }) => from > to);
  if (asked.length === 0) return unreachable;
  const client = createClient(settings, { initialRetryTime: 50, maxRetryTime: 1_000, retries: 3 });
  const read = async (): Promise<readonly Span[]> => {
    const cluster = clusterOf(client.kafka, 'spans');
    await cluster.connect();
    await cluster.addMultipleTargetTopics([...new Set(asked.map(({ topic }) => topic))]);
    const gone: Span[] = [];
    for (const span of asked) if (!(await readSpan(cluster, span, take))) gone.push(span);
    return [...unreachable, ...gone];
  };
  try {
    return await within(READ_WITHIN_MS, 'reading', read(), signal);
  } finally {
    client.destroySockets();
  }
}

/** Whether it stands there. */
async function readSpan(
  cluster: Cluster,
  span: Span,
  take: (message: IncomingMessage, of: Span) => void,
): Promise<boolean> {
  const { topic, partition, to } = span;
  let next = span.from;
  while (next < to) {
    let messages;
    try {
      messages = await fetchFrom(cluster, topic, partition, next);
    } catch (error) {
      if ((error as { type?: unknown }).type === 'OFFSET_OUT_OF_RANGE') return false;
      throw error;
    }
    for (const message of messages) {
      const offset = BigInt(message.offset);
      if (offset >= to) return true;
      // A batch is given out whole.
      if (offset < next) continue;
      if (message.isControlRecord !== true) take(incoming(message), span);
      next = offset + 1n;
    }
  }
  return true;
}

async function fetchFrom(
  cluster: Cluster,
  topic: string,
  partition: number,
  from: bigint,
): Promise<readonly Fetched[]> {
  const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  if (leader === undefined) throw new Error(`there is no partition ${partition} of ${topic}`);
  const broker = await cluster.findBroker({ nodeId: leader });
  const partitions = [{ partition, fetchOffset: from.toString(), maxBytes: PARTITION_FETCH_BYTES }];
  const { responses } = (await broker.fetch({
    replicaId: NO_REPLICA,
    isolationLevel: READ_UNCOMMITTED,
    maxWaitTime: MAX_WAIT_MS,
    minBytes: 1,
    maxBytes: FETCH_BYTES,
    topics: [{ topic, partitions }],
  })) as Answer;
  return responses[0]?.partitions[0]?.messages ?? [];
}

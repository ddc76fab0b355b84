import type { Cluster, TopicOffsets } from 'kafkajs';
import { createClient } from './client.js';
import kafkajs from './kafkajs.js';
import type { KafkaSettings } from './types.js';
import { hasLeader } from './without-leader.js';

/** Where a group stands on a partition, and how far it could be. */
export interface GroupPlace {
  readonly topic: string;
  readonly partition: number;
  /** The next offset by what the group committed; the partition's beginning where it never did. */
  readonly next: bigint;
  /** What was said with that commit: see {@link Watched.commit}. */
  readonly sign: string;
  /** The last stable offset: behind an open transaction nobody can read. */
  readonly end: bigint;
}

const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`;

const byName = <Of extends { readonly partition: number }>(answer: { topic: string; partitions: Of[] }[]) =>
  new Map(
    answer.flatMap(({ topic, partitions }) => partitions.map((one) => [nameOf(topic, one.partition), one] as const)),
  );

/** How kafkajs 2.2.4 fails where one of the topics is gone; it retries that, and wraps it. */
const GONE = 'UNKNOWN_TOPIC_OR_PARTITION';

const saysGone = (error: unknown): boolean =>
  error instanceof Error && ((error as { type?: unknown }).type === GONE || saysGone(error.cause));

/**
 * Where a group stands on all partitions of these topics that have a leader, by a connection of its own, in a handful of
 * requests. Nowhere where one of the topics is gone: that is an answer too.
 */
export async function groupPlaces(
  settings: KafkaSettings,
  groupId: string,
  topics: readonly string[],
): Promise<GroupPlace[]> {
  const client = createClient(settings, { initialRetryTime: 50, maxRetryTime: 1_000, retries: 3 });
  try {
    const cluster = clusterOf(client.kafka, groupId);
    await cluster.connect();
    await cluster.addMultipleTargetTopics([...topics]);
    const asked = topics.map((topic) => ({
      topic,
      partitions: cluster
        .findTopicPartitionMetadata(topic)
        .filter(hasLeader)
        .map(({ partitionId }) => ({ partition: partitionId })),
    }));
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    const [first, last, committed] = await Promise.all([
      cluster.fetchTopicsOffset(asked.map((one) => ({ ...one, fromBeginning: true }))),
      cluster.fetchTopicsOffset(asked.map((one) => ({ ...one, fromBeginning: false }))),
      // Asked for by partition alone; the types want what is answered.
      coordinator.offsetFetch({ groupId, topics: asked as TopicOffsets[] }),
    ]);
    const beginnings = byName(first);
    const commits = byName<{ partition: number; offset: string; metadata?: string | null }>(committed.responses);
    return last.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => {
        const name = nameOf(topic, partition);
        const commit = commits.get(name);
        const [beginning, own] = [BigInt(beginnings.get(name)?.offset ?? 0), BigInt(commit?.offset ?? -1)];
        const next = own > beginning ? own : beginning;
        return { topic, partition, next, sign: commit?.metadata ?? '', end: BigInt(offset) };
      }),
    );
  } catch (error) {
    if (saysGone(error)) return [];
    throw error;
  } finally {
    client.destroySockets();
  }
}

/** kafkajs gives its connections to assigners alone; its admin asks one topic at a time. */
export function clusterOf(kafka: kafkajs.Kafka, groupId: string): Cluster {
  let found: Cluster | undefined;
  kafka.consumer({
    groupId,
    partitionAssigners: [
      (config) => {
        found = config.cluster;
        return kafkajs.PartitionAssigners.roundRobin(config);
      },
    ],
  });
  if (found === undefined) throw new Error('kafkajs made no cluster');
  return found;
}

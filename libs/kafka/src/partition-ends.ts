import type { Cluster } from 'kafkajs';
import { createClient } from './client.js';
import { clusterOf } from './group-places.js';
import type { KafkaSettings } from './types.js';
import { hasLeader } from './without-leader.js';

export interface PartitionEnd {
  /** The next offset, open transactions or not. */
  readonly end: bigint;
  /** The last stable offset: nothing before it is open. A committed record behind another's open transaction stands after it. */
  readonly stable: bigint;
  /** `host:port` of who gives it out. */
  readonly leader: string;
}

/** What kafkajs keeps to itself. */
interface Inside {
  /** What it asks for offsets with. */
  isolationLevel: number;
  readonly brokerPool: {
    readonly metadata: { readonly brokers: readonly { nodeId: number; host: string; port: number }[] };
  };
}

/** Kafka's protocol, ListOffsets. */
const [READ_UNCOMMITTED, READ_COMMITTED] = [0, 1];
/** A broker may not know yet of what it leads. */
const TRIES = 4;
const TRIED_AGAIN_MS = 250;

async function askedOf(cluster: Cluster & Inside, topic: string, only?: number): Promise<Map<number, PartitionEnd>> {
  const wanted = cluster
    .findTopicPartitionMetadata(topic)
    .filter(({ partitionId }) => partitionId === (only ?? partitionId));
  if (wanted.length === 0) throw new Error(`there is no ${only === undefined ? '' : `partition ${only} of `}${topic}`);
  const alone = wanted.filter((partition) => !hasLeader(partition)).map(({ partitionId }) => partitionId);
  if (alone.length > 0) throw new Error(`nobody leads partition ${alone.join(', ')}`);
  const partitions = wanted.map(({ partitionId }) => ({ partition: partitionId }));
  const offsets = async (isolationLevel: number) => {
    cluster.isolationLevel = isolationLevel;
    const [one] = await cluster.fetchTopicsOffset([{ topic, partitions, fromBeginning: false }]);
    return new Map((one?.partitions ?? []).map(({ partition, offset }) => [partition, BigInt(offset)]));
  };
  // In this order: what was committed in between is before the end that it is compared with, or after it.
  const ends = await offsets(READ_UNCOMMITTED);
  const stable = await offsets(READ_COMMITTED);
  return new Map(
    wanted.map(({ partitionId, leader }) => {
      const broker = cluster.brokerPool.metadata.brokers.find(({ nodeId }) => nodeId === leader);
      const place = { end: ends.get(partitionId) ?? 0n, stable: stable.get(partitionId) ?? 0n };
      return [partitionId, { ...place, leader: `${broker?.host}:${broker?.port}` }];
    }),
  );
}

/**
 * How far a topic goes, or one partition of it. kafkajs's own admin only tells the last stable offset.
 * @throws where there is no such topic or partition, or no leader of what is asked for
 */
export async function partitionEnds(
  settings: KafkaSettings,
  topic: string,
  only?: number,
): Promise<Map<number, PartitionEnd>> {
  const client = createClient(settings, { initialRetryTime: 50, maxRetryTime: 1_000, retries: 3 });
  try {
    const cluster = clusterOf(client.kafka, topic) as Cluster & Inside;
    await cluster.connect();
    await cluster.addMultipleTargetTopics([topic]);
    for (let tries = 1; ; tries += 1) {
      try {
        return await askedOf(cluster, topic, only);
      } catch (error) {
        if (tries === TRIES || (error as { retriable?: boolean }).retriable !== true) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, TRIED_AGAIN_MS));
      await cluster.refreshMetadata();
    }
  } catch (error) {
    throw new Error(`the end of ${topic} cannot be told: ${(error as Error).message}`, { cause: error });
  } finally {
    client.destroySockets();
  }
}

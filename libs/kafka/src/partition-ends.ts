import { secondClient } from './second-client.js';
import type { KafkaSettings } from './types.js';

export interface PartitionEnd {
  /** The next offset, open transactions or not. */
  readonly end: bigint;
  /** The last stable offset: nothing before it is open. A committed record behind another's open transaction stands after it. */
  readonly stable: bigint;
  /** `host:port` of who gives it out. */
  readonly leader: string;
}

/** The second client says what the broker refused in errors within errors. */
const reasonOf = (error: unknown): string =>
  error instanceof AggregateError ? [...new Set(error.errors.map(reasonOf))].join('; ') : (error as Error).message;

/**
 * How far a topic goes, or one partition of it. kafkajs only tells the last stable offset.
 * @throws where there is no such topic or partition, or no leader
 */
export async function partitionEnds(
  settings: KafkaSettings,
  topic: string,
  only?: number,
): Promise<Map<number, PartitionEnd>> {
  const { Admin, FetchIsolationLevels, ListOffsetTimestamps } = await secondClient();
  const admin = new Admin({
    clientId: settings.clientId,
    bootstrapBrokers: [...settings.brokers],
    connectTimeout: 5_000,
    timeout: 10_000,
    retries: 3,
    sasl: { mechanism: 'SCRAM-SHA-512', username: settings.username, password: settings.password },
    ...(settings.ssl === true && { tls: {} }),
  });
  try {
    const cluster = await admin.metadata({ topics: [topic] });
    const placed = cluster.topics.get(topic)?.partitions ?? [];
    const wanted = [...placed.keys()].filter((partition) => partition === (only ?? partition));
    if (wanted.length === 0)
      throw new Error(`there is no ${only === undefined ? '' : `partition ${only} of `}${topic}`);
    const partitions = wanted.map((partitionIndex) => ({ partitionIndex, timestamp: ListOffsetTimestamps.LATEST }));
    const offsets = async (isolationLevel: 0 | 1) => {
      const [one] = await admin.listOffsets({ topics: [{ name: topic, partitions }], isolationLevel });
      return new Map((one?.partitions ?? []).map(({ partitionIndex, offset }) => [partitionIndex, offset]));
    };
    // In this order: what was committed in between is before the end that it is compared with, or after it.
    const ends = await offsets(FetchIsolationLevels.READ_UNCOMMITTED);
    const stable = await offsets(FetchIsolationLevels.READ_COMMITTED);
    return new Map(
      wanted.map((partition) => {
        const broker = cluster.brokers.get(placed[partition]?.leader ?? -1);
        const place = { end: ends.get(partition) ?? 0n, stable: stable.get(partition) ?? 0n };
        return [partition, { ...place, leader: `${broker?.host}:${broker?.port}` }];
      }),
    );
  } catch (error) {
    throw new Error(`the end of ${topic} cannot be told: ${reasonOf(error)}`, { cause: error });
  } finally {
    await admin.close();
  }
}

import { secondClient } from './second-client.js';
import type { KafkaSettings } from './types.js';

/**
 * The next offset of each partition, open transactions or not. kafkajs only tells the last stable offset, before which
 * a committed record need not lie: one behind another's open transaction is not to be seen yet, and is there all the same.
 */
export async function highWatermarks(
  settings: KafkaSettings,
  topic: string,
  partitions: readonly number[],
): Promise<Map<number, bigint>> {
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
    const topics = await admin.listOffsets({
      topics: [
        {
          name: topic,
          partitions: partitions.map((partitionIndex) => ({ partitionIndex, timestamp: ListOffsetTimestamps.LATEST })),
        },
      ],
      isolationLevel: FetchIsolationLevels.READ_UNCOMMITTED,
    });
    return new Map(
      topics.flatMap((one) => one.partitions.map(({ partitionIndex, offset }) => [partitionIndex, offset])),
    );
  } finally {
    await admin.close();
  }
}

import type { ICustomPartitioner, Message, PartitionMetadata } from 'kafkajs';
import { mend } from './mend.js';

interface Given {
  readonly topic: string;
  readonly partitionMetadata: PartitionMetadata[];
  readonly messages: readonly Message[];
  readonly partitioner: ReturnType<ICustomPartitioner>;
}

/** Messages by their partitions, their order within each kept. */
export function groupByPartition({
  topic,
  partitionMetadata,
  messages,
  partitioner,
}: Given): Record<number, Message[]> {
  const groups: Record<number, Message[]> = {};
  // Then the topic is not known yet: kafkajs asks again.
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    (groups[partition] ??= []).push(message);
  }
  return groups;
}

/** kafkajs 2.2.4 copies, for each message, all those of its partition that came before: four megabytes for a thousand messages. */
mend(groupByPartition, 'producer/groupMessagesPerPartition.js', 'producer/sendMessages.js');

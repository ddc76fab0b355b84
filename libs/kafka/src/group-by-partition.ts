import { createRequire } from 'node:module';
import type { ICustomPartitioner, Message, PartitionMetadata } from 'kafkajs';

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

/**
 * kafkajs 2.2.4 copies, for each message, all those of its partition that came before: four megabytes for a thousand
 * messages. Its function is bound where it is loaded, so this must be there before; once for each process, however often
 * this module is evaluated there.
 */
function mend(): void {
  const require = createRequire(import.meta.url);
  const path = require.resolve('kafkajs/src/producer/groupMessagesPerPartition.js');
  if ((require(path) as { name: string }).name === groupByPartition.name) return;
  const user = require.resolve('kafkajs/src/producer/sendMessages.js');
  if (require.cache[user] !== undefined) throw new Error('kafkajs was loaded before @castiron/kafka');
  const loaded = require.cache[path];
  if (loaded !== undefined) loaded.exports = groupByPartition;
}

mend();

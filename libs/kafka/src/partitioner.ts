import type { ICustomPartitioner } from 'kafkajs';

const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;

/** MurmurHash2, 32 bits, as `org.apache.kafka.common.utils.Utils.murmur2` computes it of a record's key. */
function murmur2(data: Buffer): number {
  const wholeWords = data.length & ~3;
  let hash = SEED ^ data.length;
  for (let at = 0; at < wholeWords; at += 4) {
    let word = Math.imul(data.readInt32LE(at), MIX);
    word = Math.imul(word ^ (word >>> 24), MIX);
    hash = Math.imul(hash, MIX) ^ word;
  }
  for (let at = data.length - 1; at >= wholeWords; at -= 1) hash ^= data.readUInt8(at) << (8 * (at - wholeWords));
  if (data.length > wholeWords) hash = Math.imul(hash, MIX);
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
}

/** The partition of a key, the same as every Kafka client's default. Java's `toPositive` cuts off the sign. */
export const partitionOf = (key: Buffer, partitions: number): number => (murmur2(key) & 0x7fffffff) % partitions;

/**
 * By the message's own partition, or by its key: kafkajs's counts in 64-bit integers that are made anew for each step, which
 * costs more than encoding the message.
 * @throws TypeError of a message with neither; ours have keys
 */
export const createPartitioner: ICustomPartitioner = () => {
  return ({ message, partitionMetadata }) => {
    if (message.partition !== undefined) return message.partition;
    if (message.key === undefined || message.key === null) throw new TypeError('a message needs a key or a partition');
    return partitionOf(Buffer.from(message.key), partitionMetadata.length);
  };
};

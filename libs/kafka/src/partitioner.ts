import type { ICustomPartitioner } from 'kafkajs';
import { EncodedRecord } from './record-encoder.js';

const SEED = 0x9747b28c;
const MIX = 0x5bd1e995;

/** MurmurHash2, 32 bits, as `org.apache.kafka.common.utils.Utils.murmur2` computes it of a record's key. */
function murmur2(data: Buffer, from: number, to: number): number {
  const length = to - from;
  const wholeWords = from + (length & ~3);
  let hash = SEED ^ length;
  for (let at = from; at < wholeWords; at += 4) {
    let word = Math.imul(data.readInt32LE(at), MIX);
    word = Math.imul(word ^ (word >>> 24), MIX);
    hash = Math.imul(hash, MIX) ^ word;
  }
  for (let at = to - 1; at >= wholeWords; at -= 1) hash ^= data.readUInt8(at) << (8 * (at - wholeWords));
  if (to > wholeWords) hash = Math.imul(hash, MIX);
  hash = Math.imul(hash ^ (hash >>> 13), MIX);
  return hash ^ (hash >>> 15);
}

/** Java's `toPositive`, which cuts off the sign. */
const positive = (hash: number): number => hash & 0x7fffffff;
const hashOf = (data: Buffer, from = 0, to = data.length): number => positive(murmur2(data, from, to));

/** The partition of a key, the same as every Kafka client's default. */
export const partitionOf = (key: Buffer, partitions: number): number => hashOf(key) % partitions;

/**
 * By the message's own partition, or by its key: kafkajs's counts in 64-bit integers that are made anew for each step, which
 * costs more than encoding the message.
 * @throws TypeError of a message with neither; ours have keys
 */
export const createPartitioner: ICustomPartitioner = () => {
  return ({ message, partitionMetadata }) => {
    if (message.partition !== undefined) return message.partition;
    if (message instanceof EncodedRecord) return message.ofKey(hashOf) % partitionMetadata.length;
    if (message.key === undefined || message.key === null) throw new TypeError('a message needs a key or a partition');
    return partitionOf(Buffer.from(message.key), partitionMetadata.length);
  };
};

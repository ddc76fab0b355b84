import fc from 'fast-check';
import kafkajs from './kafkajs.js';
import { expect, it } from 'vitest';
import { createPartitioner, partitionOf } from './partitioner.js';
import { RecordEncoder } from './record-encoder.js';

const metadata = (partitions: number) =>
  Array.from({ length: partitions }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
const ours = createPartitioner();
const kafkaJs = kafkajs.Partitioners.DefaultPartitioner();

it('gives every key the partition that every Kafka client gives it', () => {
  const key = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(key, fc.integer({ min: 1, max: 20 }), (given, partitions) => {
      const args = { topic: 't', partitionMetadata: metadata(partitions), message: { key: given, value: null } };
      expect(ours(args)).toBe(kafkaJs(args));
      const encoder = new RecordEncoder();
      encoder.encode(args.message);
      expect(ours({ ...args, message: encoder.encode(args.message) })).toBe(kafkaJs(args));
    }),
  );
});

it("knows the hashes of the tests of Java's client", () => {
  // org.apache.kafka.common.utils.UtilsTest.testMurmur2, as partitions of 2^31 - 1
  const hashes = { 21: -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536, abc: 479470107 };
  const partitions = 2 ** 31 - 1;
  for (const [key, hash] of Object.entries(hashes))
    expect([key, partitionOf(Buffer.from(key), partitions)]).toEqual([key, (hash & 0x7fffffff) % partitions]);
});

it('follows the partition that a message names, and refuses one without key and partition', () => {
  const args = { topic: 't', partitionMetadata: metadata(6) };
  expect(ours({ ...args, message: { key: 'k', value: null, partition: 4 } })).toBe(4);
  expect(() => ours({ ...args, message: { value: null } })).toThrow('needs a key or a partition');
});

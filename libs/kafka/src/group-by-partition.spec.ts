import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { groupByPartition } from './group-by-partition.js';
import './kafkajs.js';

const require = createRequire(import.meta.url);

/** kafkajs's own, which was put aside. */
function ofKafkaJs(): typeof groupByPartition {
  const path = require.resolve('kafkajs/src/producer/groupMessagesPerPartition.js');
  const ours = require.cache[path];
  delete require.cache[path];
  const theirs = require(path) as typeof groupByPartition;
  require.cache[path] = ours;
  return theirs;
}

it('groups as kafkajs does', () => {
  const theirs = ofKafkaJs();
  expect(theirs).not.toBe(groupByPartition);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 12 })), fc.nat({ max: 3 }), (keys, known) => {
      const given = {
        topic: 'topic',
        partitionMetadata: Array.from({ length: known }, (_, partitionId) => ({ partitionId })) as never,
        messages: keys.map((key, n) => ({ key: String(key), value: String(n) })),
        partitioner: ({ message }: { message: { key?: unknown } }) => Number(message.key),
      };
      expect(groupByPartition(given)).toEqual(theirs(given));
    }),
  );
});

it('is what kafkajs uses', () => {
  expect(require('kafkajs/src/producer/groupMessagesPerPartition.js')).toBe(groupByPartition);
});

it('comes before kafkajs, or not at all', async () => {
  vi.resetModules();
  await expect(import('./group-by-partition.js')).rejects.toThrow('kafkajs was loaded before @castiron/kafka');
});

import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { groupByPartition } from './group-by-partition.js';
import './kafkajs.js';

const require = createRequire(import.meta.url);

const PATH = require.resolve('kafkajs/src/producer/groupMessagesPerPartition.js');

/** kafkajs's own, which was put aside; it stays in its place until the test is over. */
function putBack(): typeof groupByPartition {
  const ours = require.cache[PATH];
  onTestFinished(() => {
    require.cache[PATH] = ours;
  });
  delete require.cache[PATH];
  return require(PATH) as typeof groupByPartition;
}

it('groups as kafkajs does', () => {
  const theirs = putBack();
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
  expect(require(PATH)).toBe(groupByPartition);
});

describe('evaluated once more', () => {
  it('leaves all as it is', async () => {
    vi.resetModules();
    await import('./group-by-partition.js');
    expect(require(PATH)).toBe(groupByPartition);
  });

  it('says so where kafkajs was loaded before it', async () => {
    putBack();
    vi.resetModules();
    await expect(import('./group-by-partition.js')).rejects.toThrow('kafkajs was loaded before @castiron/kafka');
  });
});

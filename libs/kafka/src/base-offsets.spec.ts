import type { PartitionMetadata } from 'kafkajs';
import { describe, expect, it } from 'vitest';
import { BaseOffsets } from './base-offsets.js';
import { createPartitioner } from './partitioner.js';

const answer = (baseOffset: string | undefined, partition = 0, topicName = 't') => [
  { topicName, partition, errorCode: 0, ...(baseOffset !== undefined && { baseOffset }) },
];

describe('the offsets that a broker answers', () => {
  it('rise per partition, each by itself', () => {
    const offsets = new BaseOffsets();
    offsets.check([...answer('9007199254740993'), ...answer('5', 1), ...answer('5', 0, 'u')]);
    offsets.check([...answer('9007199254740994'), ...answer('6', 1), ...answer('6', 0, 'u')]);
  });

  it.each(['5', '4', '0'])('never come again after 5: at %s the messages were taken for older ones', (baseOffset) => {
    const offsets = new BaseOffsets();
    offsets.check(answer('5'));
    expect(() => offsets.check(answer(baseOffset))).toThrow(/t\/0/);
  });

  it('are told: without one the messages may be lost', () => {
    expect(() => new BaseOffsets().check(answer('-1'))).toThrow(/no offset/);
  });
});

describe('the partitions of a send', () => {
  const places = Array.from({ length: 3 }, (_, partitionId) => ({ partitionId }) as PartitionMetadata);
  const noting = (offsets: BaseOffsets) => {
    const partitioner = offsets.noting(createPartitioner)();
    return (topic: string, partition: number) =>
      partitioner({ topic, partitionMetadata: places, message: { partition, value: null } });
  };

  it('all answer, or the messages may be lost', () => {
    const offsets = new BaseOffsets();
    const goes = noting(offsets);
    expect([goes('t', 0), goes('t', 2), goes('t', 0), goes('u', 1)]).toEqual([0, 2, 0, 1]);
    const [first, second, third] = [answer('5', 0), answer('5', 2), answer('5', 1, 'u')];
    expect(() => offsets.check([...first, ...second])).toThrow('nobody answered for u/1');
    expect(() => offsets.check([...first, ...third])).toThrow('nobody answered for t/2');
    offsets.check([...first, ...second, ...third]);
  });

  it('answer for one send, not for the next', () => {
    const offsets = new BaseOffsets();
    const goes = noting(offsets);
    goes('t', 0);
    offsets.check(answer('5', 0));
    goes('t', 1);
    offsets.check(answer('5', 1));
  });
});

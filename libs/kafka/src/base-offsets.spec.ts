import { describe, expect, it } from 'vitest';
import { BaseOffsets } from './base-offsets.js';

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

import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import './kafkajs.js';
import { withoutAborted } from './without-aborted.js';

const record = (offset: number, producerId: string, over: { key?: Buffer; inTransaction?: boolean } = {}) => ({
  offset: String(offset),
  key: over.key ?? Buffer.from('key'),
  isControlRecord: false,
  batchContext: { producerId, inTransaction: over.inTransaction ?? true },
});
const marker = (offset: number, producerId: string, says: 'abort' | 'commit') => ({
  ...record(offset, producerId, { key: Buffer.from([0, 0, 0, says === 'abort' ? 0 : 1]) }),
  isControlRecord: true,
});
type Record = ReturnType<typeof record>;

const left = (messages: readonly Record[], ...aborted: (readonly [producerId: string, firstOffset: number])[]) =>
  withoutAborted({
    messages,
    abortedTransactions: aborted.map(([producerId, first]) => ({ producerId, firstOffset: String(first) })),
  })
    .filter(({ isControlRecord }) => !isControlRecord)
    .map(({ offset }) => Number(offset));

it('is what kafkajs calls', () => {
  const theirs: unknown = createRequire(import.meta.url)('kafkajs/src/consumer/filterAbortedMessages.js');
  expect(theirs).toBe(withoutAborted);
});

describe('what was aborted is left out', () => {
  it('in whatever order brokers name it', () => {
    const messages = [record(0, 'a'), record(1, 'b'), record(2, 'c'), marker(3, 'b', 'abort'), marker(4, 'a', 'abort')];
    expect(left(messages, ['b', 1], ['a', 0])).toEqual([2]);
    expect(left(messages, ['a', 0], ['b', 1])).toEqual([2]);
  });

  it('though the fetch began in the middle of several', () => {
    expect(left([record(7, 'c'), record(8, 'a'), record(9, 'b')], ['a', 5], ['b', 6], ['c', 4])).toEqual([]);
  });

  it('up to its end: what its producer wrote later stays', () => {
    const messages = [record(0, 'a'), marker(1, 'a', 'abort'), record(2, 'a'), marker(3, 'a', 'commit')];
    expect(left(messages, ['a', 0])).toEqual([2]);
  });

  it('and nothing else: no record outside a transaction, none that looks like a marker', () => {
    const outside = record(1, 'a', { inTransaction: false });
    const alike = record(2, 'a', { key: Buffer.from([0, 0, 0, 0]) });
    expect(left([record(0, 'a'), outside, alike, record(3, 'a')], ['a', 0])).toEqual([1]);
    expect(left([record(0, 'a')])).toEqual([0]);
    expect(withoutAborted({ messages: [record(0, 'a')], abortedTransactions: null })).toHaveLength(1);
  });
});

import type { IncomingBatch, IncomingMessage } from '@castiron/kafka';
import { expect, it } from 'vitest';
import { chunksOf } from './chunks.js';
import { itemsOf } from './item.js';
import { Subscriptions } from './subscriptions.js';

const message = (offset: number): IncomingMessage => ({
  offset: String(offset),
  timestamp: new Date(0),
  key: Buffer.from('k'),
  value: Buffer.from('{}'),
  headers: {},
});

/** A batch of so many messages, of which nobody handles any, and how many of them were asked for. */
function batchOf(size: number) {
  const asked: string[] = [];
  function* messages(): Generator<IncomingMessage> {
    for (let offset = 0; offset < size; offset += 1) {
      asked.push(String(offset));
      yield message(offset);
    }
  }
  const batch = { topic: 't', partition: 3, messages: { [Symbol.iterator]: messages } } as unknown as IncomingBatch;
  return { batch, asked };
}

const nobody = new Subscriptions([], []);

it('makes no more of a batch than the chunk that it is asked for, and one of the next', () => {
  const { batch, asked } = batchOf(2_000);
  const chunks = chunksOf(itemsOf(batch, nobody));
  expect(asked).toHaveLength(0);
  expect(chunks.next()).toMatchObject({ value: { length: 500 } });
  expect(asked).toHaveLength(501);
});

it('begins behind what is done, and names the place of each', () => {
  const { batch } = batchOf(12);
  const [first, ...rest] = itemsOf(batch, nobody, '9');
  expect(first).toMatchObject({ offset: '10', position: '3/10@0' });
  expect(rest).toHaveLength(1);
});

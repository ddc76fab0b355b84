import { expect, it } from 'vitest';
import { chunksOf } from './chunks.js';
import type { Item } from './item.js';

const item: Item = {
  raw: { topic: 't', key: null, value: null },
  position: '0/0@0',
  keyHash: 'k',
  bytes: 1,
  content: { kind: 'broken', reason: 'missing-key', detail: '' },
};

it('asks for no more items than a chunk needs, and one of the next', () => {
  let asked = 0;
  function* items(): Generator<Item> {
    for (; asked < 1_200; yield item) asked += 1;
  }
  const seen: number[][] = [];
  for (const chunk of chunksOf(items())) seen.push([chunk.length, asked]);
  expect(seen).toEqual([
    [500, 501],
    [500, 1_001],
    [200, 1_200],
  ]);
});

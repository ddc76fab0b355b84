import { expect, it } from 'vitest';
import { messageOf, pack, unpack } from './packing.js';

const message = { topic: 'topic', key: 'k', value: 'v' };

it('keeps a header of no value as one', () => {
  const headers = { x: null, y: [null, 'a'] };
  const packed = unpack(pack({ ...message, headers }).bytes);
  expect(messageOf('topic', packed).headers).toEqual({ x: null, y: [null, Buffer.from('a')] });
  const kept = packed.headers.map(({ name, part }) => [name, part.kept]);
  expect(kept).toEqual([
    ['x', null],
    ['y', null],
    ['y', Buffer.from('a')],
  ]);
});

it('keeps a message whatever stands among its headers', () => {
  const headers = { x: [Object, 'a'], y: {} } as never;
  const packed = pack({ ...message, headers });
  expect(packed.size).toBe(6);
  expect(unpack(packed.bytes).headers.map(({ name }) => name)).toEqual(['x']);
});

it('keeps few of too many headers', () => {
  const headers = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`${n}`, 'a']));
  const packed = pack({ ...message, headers });
  expect(packed.truncated).toBe(true);
  expect(unpack(packed.bytes).headers).toHaveLength(16);
});

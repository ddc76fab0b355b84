import type { KafkaMessage } from 'kafkajs';
import { expect, it } from 'vitest';
import { incomingOf } from './incoming.js';

it('makes a message when its turn comes, and anew each time', () => {
  let made = 0;
  const message = {
    offset: '1',
    get headers() {
      made += 1;
      return {};
    },
  } as KafkaMessage;
  const messages = incomingOf([message, message, message]);
  expect(made).toBe(0);
  const [first] = messages;
  expect([first?.offset, made]).toEqual(['1', 1]);
  expect([[...messages].length, made]).toEqual([3, 4]);
});

it('are gone through by one function, for one of its own would keep each batch in the old heap', () => {
  expect(incomingOf([])[Symbol.iterator]).toBe(incomingOf([])[Symbol.iterator]);
});

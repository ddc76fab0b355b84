import { describe, expect, it } from 'vitest';
import { ownEndOf } from './own-end.js';

const reason =
  'notifications-1 ended (exit code 1); its last words, in full in notifications-1.log:\nError: out of memory';
const fatal = (err?: object): string => JSON.stringify({ level: 'fatal', err, msg: 'ending after a crash' });

describe('the end of a process that nobody asked to end', () => {
  it.each([true, false])('is told apart where a consumer is stuck; up: %s', (wasUp) => {
    const message = 'no fetch for 6 s although the broker answers';
    expect(ownEndOf(wasUp, { reason, fatal: fatal({ message }) })).toMatchObject({ kind: 'stuck' });
  });

  it.each([
    'Error: Connection terminated unexpectedly',
    'AggregateError [ECONNREFUSED]: ',
    'error: the database system is starting up',
    'DatabaseSilent: the database did not answer in time',
    'Error: timeout expired',
  ])('is of what is away where it could not start: %s', (thrown) => {
    expect(ownEndOf(false, { reason, thrown })).toEqual({ why: `${thrown}, before it was up`, kind: 'away' });
    expect(ownEndOf(true, { reason, thrown })).toMatchObject({ kind: 'crashed' });
  });

  it.each(["TypeError: Cannot read properties of undefined (reading 'lane')", undefined])(
    'is a bug where it did not start for another reason, or none: %s',
    (thrown) => {
      expect(ownEndOf(false, { reason, thrown })).toMatchObject({ kind: 'crashed' });
    },
  );

  it.each([
    ['an error that nobody heard', fatal({ message: 'Connection terminated' }), 'Connection terminated'],
    ['a code alone', fatal({ code: '57P01' }), '57P01'],
    ['no reason', fatal(), 'notifications-1 ended (exit code 1)'],
    ['no word', undefined, 'notifications-1 ended (exit code 1)'],
  ])('is a bug with %s', (_, line, why) => {
    expect(ownEndOf(true, { reason, fatal: line })).toEqual({ why, kind: 'crashed' });
  });
});

import { describe, expect, it } from 'vitest';
import { ownEndOf } from './own-end.js';

const reason =
  'notifications-1 ended (exit code 1); its last words, in full in notifications-1.log:\nError: out of memory';
const fatal = (err?: object): string => JSON.stringify({ level: 'fatal', err, msg: 'ending after a crash' });

describe('the end of a process that nobody asked to end', () => {
  it('is by design where a consumer is stuck', () => {
    const message = 'no fetch for 6 s although the broker answers';
    expect(ownEndOf(true, reason, fatal({ message }))).toEqual({ why: message, byDesign: true });
  });

  it('is by design where it could not start', () => {
    expect(ownEndOf(false, reason, undefined)).toMatchObject({ byDesign: true });
  });

  it.each([
    ['an error that nobody heard', fatal({ message: 'Connection terminated' }), 'Connection terminated'],
    ['a code alone', fatal({ code: '57P01' }), '57P01'],
    ['no reason', fatal(), 'notifications-1 ended (exit code 1)'],
    ['no word', undefined, 'notifications-1 ended (exit code 1)'],
  ])('is a bug with %s', (_, line, why) => {
    expect(ownEndOf(true, reason, line)).toEqual({ why, byDesign: false });
  });
});

import { describe, expect, it } from 'vitest';
import { age, printable, table } from './lines.js';

describe('what the terminal shows', () => {
  it('stands in columns', () => {
    expect(
      table([
        ['id', 'reason'],
        ['7', 'bad-json'],
        ['12', null],
      ]),
    ).toEqual(['id  reason', '7   bad-json', '12  -']);
  });

  it('moves no cursor, whoever wrote it', () => {
    expect(printable('a\u001b[2Jb\u202ec\nd')).toBe('a?[2Jb?c?d');
  });

  it('says an age in its largest unit', () => {
    const now = new Date('2026-11-23T12:00:00Z');
    expect(['2026-11-23T11:59:30Z', '2026-11-23T09:00:00Z', '2026-11-01T12:00:00Z'].map((at) => age(at, now))).toEqual([
      '0 min',
      '3 h',
      '22 d',
    ]);
  });
});

import { describe, expect, it } from 'vitest';
import { instantOf, isLine, isText } from './text.js';

describe('an instant', () => {
  it.each([
    ['2026-11-23T09:00:00Z', '2026-11-23T09:00:00.000Z'],
    ['2026-11-23T09:00:00.123456789+01:00', '2026-11-23T08:00:00.123Z'],
    ['2028-02-29T23:59:59-23:59', '2028-03-01T23:58:59.000Z'],
  ])('is %s', (given, read) => {
    expect(instantOf(given)?.toISOString()).toBe(read);
  });

  it.each([
    '2009-W01-1T00:00:00Z',
    '2009-222T00:00:00Z',
    '2026-11-23T10Z',
    '2026-11-23T10:30Z',
    '2026-11-23T10:30,5Z',
    '2026-11-23T10.5+01:00',
    '2026-11-23T10:30:00',
    '2026-11-23 10:30:00Z',
    '2026-11-23',
    '2026',
    '1000-01-01T00:00:00Z',
    '+002026-11-23T09:00:00Z',
    '2026-02-30T00:00:00Z',
    '2027-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-23T24:00:00Z',
    '2026-12-31T23:59:60Z',
    '2026-11-23T09:00:00+99:00',
    '2026-11-23T09:00:00Z\n',
    '٢٠٢٦-11-23T09:00:00Z',
    1_795_424_400_000,
    null,
    ['2026-11-23T09:00:00Z'],
  ])('is not %j', (given) => {
    expect(instantOf(given)).toBeUndefined();
  });
});

describe('a line of text', () => {
  it.each(['ticked in the portal', 'Müller & Söhne GmbH', 'שלום', '株式会社', 'می‌خواهم', '👩‍👩‍👧', '?'])(
    'is %s',
    (given) => {
      expect(isLine(given, 40)).toBe(true);
      expect(isText(given, 40)).toBe(true);
    },
  );

  it.each([
    ['a line separator', 'a\u2028b'],
    ['a paragraph separator', 'a\u2029b'],
    ['a turned direction', 'Acorn \u202egnp.exe'],
    ['an isolate', '\u2066Acorn\u2069'],
    ['a right-to-left mark', 'Acorn\u200f'],
    ['half a character', 'a\ud83d'],
    ['NUL', 'a\u0000'],
    ['a C1 control', 'a\u0085'],
    ['nothing', ''],
    ['blanks', ' \u00a0\u3000'],
    ['no width', '\u200b\ufeff'],
  ])('and a longer text have no %s', (_name, given) => {
    expect(isLine(given, 40)).toBe(false);
    expect(isText(given, 40)).toBe(false);
  });

  it('does not break, as a longer text may', () => {
    for (const given of ['a\nb', 'a\r\nb', 'a\tb']) {
      expect(isLine(given, 40)).toBe(false);
      expect(isText(given, 40)).toBe(true);
    }
  });

  it('has an end', () => {
    expect([isLine('x'.repeat(40), 40), isLine('x'.repeat(41), 40), isText('x'.repeat(41), 40)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(isLine(7, 40)).toBe(false);
  });
});

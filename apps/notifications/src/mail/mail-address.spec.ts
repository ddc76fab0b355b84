import { describe, expect, it } from 'vitest';
import { isMailAddress } from './mail-address.js';

describe('a mail address', () => {
  it.each(['a@b.example', "o'neil+x@mail.b-c.example", 'jürgen@bücher.example', 'root@localhost'])('is %s', (value) => {
    expect(isMailAddress(value)).toBe(true);
  });

  it.each([
    undefined,
    '',
    'a',
    '@b',
    'a@',
    'a@b,c@d',
    'a@b;c@d',
    'a b@c',
    'A <a@b>',
    '"a"@b',
    'a@b\r\nBcc: c@d',
    'a@b\n',
    'a\u0000@b',
    'a@b\u2028c',
    'a@[127.0.0.1]',
    `${'x'.repeat(65)}@b`,
  ])('is not %j', (value) => {
    expect(isMailAddress(value)).toBe(false);
  });
});

import { randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CancellationLinks } from './cancellation-links.js';

const links = new CancellationLinks(randomBytes(32), 'https://mail.example/');
const tokenOf = (link: string): string => link.slice(link.lastIndexOf('/') + 1);

describe('a cancellation link', () => {
  it('leads to the subject it was made for', () => {
    const subject = randomUUID();
    const link = links.linkOf(subject);
    expect(link).toMatch(/^https:\/\/mail\.example\/cancellations\/[\w-]{64}$/);
    expect(links.subjectOf(tokenOf(link))).toBe(subject);
    expect(links.linkOf(subject)).toBe(link);
  });

  it('cannot be changed in any character', () => {
    const token = tokenOf(links.linkOf(randomUUID()));
    for (let at = 0; at < token.length; at += 1) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(links.subjectOf(token.slice(0, at) + other + token.slice(at + 1))).toBeUndefined();
    }
  });

  it.each(['', 'x', 'A'.repeat(63), 'A'.repeat(64), 'A'.repeat(65), `${'A'.repeat(60)}====`])(
    'is not "%s"',
    (token) => {
      expect(links.subjectOf(token)).toBeUndefined();
    },
  );

  it('is worth nothing at another service', () => {
    const other = new CancellationLinks(randomBytes(32), 'https://mail.example');
    expect(links.subjectOf(tokenOf(other.linkOf(randomUUID())))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { UuidPipe } from './uuid.pipe.js';

const read = (given: unknown): string => new UuidPipe().transform(given, { type: 'param', data: 'customer' });

describe('an id in the path', () => {
  it('has one spelling, however it was written', () => {
    expect(read('8D0E5A0E-6FF2-4d1e-8d0e-2f1f3c1a9b10')).toBe('8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10');
  });

  it.each([
    ['a word', 'quince@example.org'],
    ['a UUID in braces', '{8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10}'],
    ['a UUID without hyphens', '8d0e5a0e6ff24d1e8d0e2f1f3c1a9b10'],
    ['a UUID and a line feed', '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b10\n'],
    ['a UUID with a letter that only looks like one', '8d0e5a0e-6ff2-4d1e-8d0e-2f1f3c1a9b1О'],
    ['nothing', ''],
    ['missing', undefined],
  ])('is refused with its name, and not repeated, where it is %s', (_what, given) => {
    let refusal: unknown;
    try {
      read(given);
    } catch (error) {
      refusal = (error as { refusal: unknown }).refusal;
    }
    expect(refusal).toMatchObject({ kind: 'invalid', code: 'not-a-uuid', field: 'path.customer', promise: 'P7' });
    expect(JSON.stringify(refusal)).not.toContain('quince');
  });
});

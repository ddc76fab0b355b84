import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBundle, encodeBundle } from './entry-bundle.js';

const bytes = (...values: number[]): Buffer => Buffer.from(values);

describe('a bundle of entries', () => {
  it('has each entry behind its length', () => {
    expect(encodeBundle([bytes(1, 2, 3), bytes(), bytes(4)])).toEqual(bytes(0, 3, 1, 2, 3, 0, 0, 0, 1, 4));
  });

  it('gives back what was put in', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 256 }), (entries) => {
        const buffers = entries.map((entry) => Buffer.from(entry));
        expect(decodeBundle(encodeBundle(buffers), buffers.length)).toEqual(buffers);
      }),
    );
  });

  it('takes no entry of 64 KiB', () => {
    expect(() => encodeBundle([Buffer.alloc(65_536)])).toThrow(RangeError);
  });

  it.each([
    ['ends in a length', bytes(0, 1, 9, 0), 1],
    ['ends in an entry', bytes(0, 2, 9), 1],
    ['has an entry too many', bytes(0, 1, 9, 0, 1, 9), 1],
    ['has an entry too few', bytes(0, 1, 9), 2],
    ['is empty', bytes(), 1],
  ])('that %s is refused', (_what, bundle, count) => {
    expect(() => decodeBundle(bundle, count)).toThrow(RangeError);
  });
});

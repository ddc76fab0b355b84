import { describe, expect, it } from 'vitest';
import { etagOf, ifMatchOf } from './precondition.js';

const refusal = (work: () => void): unknown => {
  try {
    work();
  } catch (error) {
    return (error as { refusal: unknown }).refusal;
  }
  return undefined;
};
const change = (header: string | undefined): unknown => refusal(() => ifMatchOf(header).assertStillAt(4));

describe('If-Match (RFC 9110, section 13.1.1)', () => {
  it.each([etagOf(4), '*', ' "v4" ', '"v3", "v4"', '"v3","v4"', ', "v4",', '"a,b" , "v4"'])(
    '%s lets version 4 be changed',
    (header) => {
      expect(change(header)).toBeUndefined();
    },
  );

  it('must be sent', () => {
    expect(change(undefined)).toMatchObject({ kind: 'precondition-required', field: 'header if-match' });
  });

  it.each(['', ' ', ',', 'v4', '"v4', '"v4" "v4"', "'v4'", 'w/"v4"', 'W/ "v4"', '*, "v4"', '"v 4"', '4'])(
    '%s is no list of entity tags: 400',
    (header) => {
      expect(change(header)).toMatchObject({ kind: 'invalid', code: 'invalid-if-match', field: 'header if-match' });
    },
  );

  it.each(['"v3"', '"v44"', '"other"', '""', 'W/"v4"', '"v3", W/"v4"', '"v4,"'])(
    '%s is another version: 412',
    (header) => {
      expect(change(header)).toMatchObject({ kind: 'stale', code: 'stale-version', current: '"v4"' });
    },
  );

  it('takes no time to speak of, whatever is sent', () => {
    const before = performance.now();
    for (const header of [
      ' '.repeat(15_000),
      '"v4" ,'.repeat(2_500) + 'x',
      ','.repeat(15_000),
      `"v4"${',  '.repeat(5_000)}x`,
      '"'.repeat(15_001),
    ])
      change(header);
    expect(performance.now() - before).toBeLessThan(500);
  });
});

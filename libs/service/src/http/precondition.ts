import { Refused } from '@castiron/failures';

/** The strong entity tag of a version (RFC 9110, section 8.8.3). */
export const etagOf = (version: number): string => `"v${version}"`;

/** One entity tag: `W/` where it is weak, then an opaque tag in quotes, which may hold commas (RFC 9110, 8.8.3). */
const TAG = '(?:W/)?"[\\x21\\x23-\\x7e\\x80-\\xff]*"';
/** A list of them; empty elements count for nothing (RFC 9110, section 5.6.1.2). */
const LIST = new RegExp(`^[\\s,]*${TAG}(?:\\s*,(?:\\s*${TAG})?)*\\s*$`);
const TAGS = new RegExp(TAG, 'g');

/** What a caller has seen, and therefore may change. */
export interface IfMatch {
  /** @throws Refused stale (412) where what stands now is not what was seen */
  assertStillAt(version: number): void;
}

/**
 * Reads an `If-Match` header (RFC 9110, section 13.1.1). Comparison is strong: a weak tag is well-formed and never
 * matches. `*` is content with any version of a thing that exists.
 *
 * @throws Refused precondition-required (428, RFC 6585) without the header, invalid (400) where it is no list of tags
 */
export function ifMatchOf(header: string | undefined): IfMatch {
  if (header === undefined) {
    throw new Refused({
      kind: 'precondition-required',
      code: 'if-match-required',
      field: 'header if-match',
      detail: 'Read it first, and send its ETag as If-Match.',
    });
  }
  const any = header.trim() === '*';
  if (!any && !LIST.test(header)) {
    throw new Refused({
      kind: 'invalid',
      code: 'invalid-if-match',
      field: 'header if-match',
      detail: 'If-Match must be *, or entity tags in quotes such as "v3".',
    });
  }
  const seen = new Set(header.match(TAGS));
  return {
    assertStillAt(version) {
      if (any || seen.has(etagOf(version))) return;
      throw new Refused({
        kind: 'stale',
        code: 'stale-version',
        field: 'header if-match',
        detail: 'It has changed since you read it. Read it again.',
        current: etagOf(version),
      });
    },
  };
}

import { Refused } from '@castiron/failures';

/** The entity tag of a version (RFC 9110, section 8.8.3). */
export const etagOf = (version: number): string => `"v${version}"`;

const TAG = /^"v(\d{1,15})"$/;

/**
 * The version a caller has seen, from `If-Match`.
 * @throws Refused precondition-required (428) without the header, invalid (400) where it is no tag of ours
 */
export function versionSeen(ifMatch: string | undefined): number {
  if (ifMatch === undefined) {
    throw new Refused({
      kind: 'precondition-required',
      code: 'if-match-required',
      field: 'header if-match',
      detail: 'Read it first, and send its ETag as If-Match.',
    });
  }
  const version = TAG.exec(ifMatch.trim())?.[1];
  if (version === undefined) {
    throw new Refused({
      kind: 'invalid',
      code: 'invalid-if-match',
      field: 'header if-match',
      detail: 'If-Match must be an ETag such as "v3".',
    });
  }
  return Number(version);
}

/** @throws Refused stale (412) where the version is no longer the one that was seen */
export function assertStillAt(current: number, seen: number): void {
  if (current !== seen) {
    throw new Refused({
      kind: 'stale',
      code: 'stale-version',
      detail: 'It has changed since you read it. Read it again.',
      current: etagOf(current),
    });
  }
}

/** The entity tag of a profile's version (RFC 9110, 8.8.3). */
export function etagOf(version: number): string {
  return `"v${version}"`;
}

/** Whether an If-Match header lets this tag pass: strong comparison, a list or `*` (RFC 9110, 13.1.1). */
export function matches(ifMatch: string, etag: string): boolean {
  if (ifMatch.trim() === '*') return true;
  return ifMatch.split(',').some((tag) => tag.trim() === etag);
}

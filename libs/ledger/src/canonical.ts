import canonicalize from 'canonicalize';

/**
 * A value as RFC 8785 JSON, in UTF-8.
 * @throws TypeError where the value has no JSON form; Error on a lone surrogate, NaN or a cycle.
 */
export function canonicalJson(value: unknown): Buffer {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError('the value has no JSON form');
  return Buffer.from(text, 'utf8');
}

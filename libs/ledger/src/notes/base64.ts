/** The bytes of a text in base64 (RFC 4648 section 4); undefined where it is not the one spelling of any. */
export function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Decoding skips what is not base64, so only what encodes back to itself is.
  return bytes.toString('base64') === text ? bytes : undefined;
}

/**
 * One plain address (RFC 5321 dot-string and host name, as people have them): no quotes, comments, lists, spaces or
 * controls, so that no value can add a recipient or a header.
 */
const ADDRESS =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u00a0-\u{10ffff}-]{1,64}@[A-Za-z0-9\u00a0-\u{10ffff}](?:[A-Za-z0-9.\u00a0-\u{10ffff}-]{0,251}[A-Za-z0-9\u00a0-\u{10ffff}])?$/u;

/** Spaces, separators and invisible characters beyond ASCII. */
const NOT_IN_ADDRESSES = /[\p{Z}\p{C}]/u;

/** Whether mail can be sent to it. */
export function isMailAddress(value: string | undefined): value is string {
  return value !== undefined && value.length <= 254 && ADDRESS.test(value) && !NOT_IN_ADDRESSES.test(value);
}

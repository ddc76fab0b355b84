/** What a record has of texts; null and none are the same there. */
export type Text = Buffer | string | null | undefined;

const NULL_LENGTH = -1;
export const lengthOf = (text: Text): number =>
  text === null || text === undefined ? NULL_LENGTH : Buffer.byteLength(text);

/** A varint's number: signs are interleaved (ZigZag). Nothing here is below -1. */
const zigZag = (n: number): number => (n === NULL_LENGTH ? 1 : n * 2);

/** Of a length or a place in a batch. */
export const MOST_VARINT_BYTES = 5;

export function sizeOfVarint(n: number): number {
  let size = 1;
  for (let rest = zigZag(n); rest > 0x7f; rest >>>= 7) size += 1;
  return size;
}

/** @returns where in the buffer it ends */
export function writeVarint(buffer: Buffer, from: number, n: number): number {
  let at = from;
  let rest = zigZag(n);
  for (; rest > 0x7f; rest >>>= 7) {
    buffer[at] = (rest & 0x7f) | 0x80;
    at += 1;
  }
  buffer[at] = rest;
  return at + 1;
}

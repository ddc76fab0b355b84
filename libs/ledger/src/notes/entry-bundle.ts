/** Length of what stands before each entry: a big-endian uint16 (C2SP tlog-tiles). */
const LENGTH_BYTES = 2;

/** A bundle of entries (1 to 256), each behind its length. Entries have less than 64 KiB. */
export function encodeBundle(entries: readonly Buffer[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(LENGTH_BYTES);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** @throws RangeError where the bytes are not exactly `count` entries */
export function decodeBundle(bundle: Buffer, count: number): readonly Buffer[] {
  const entries: Buffer[] = [];
  let at = 0;
  while (at < bundle.length) {
    const start = at + LENGTH_BYTES;
    if (start > bundle.length) throw new RangeError('the bundle ends inside an entry');
    at = start + bundle.readUInt16BE(start - LENGTH_BYTES);
    if (at > bundle.length) throw new RangeError('the bundle ends inside an entry');
    entries.push(bundle.subarray(start, at));
  }
  if (entries.length !== count) throw new RangeError(`the bundle has ${entries.length} entries, not ${count}`);
  return entries;
}

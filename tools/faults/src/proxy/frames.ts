/** Tells how long the frame is that begins here; undefined while too little of it has come to say. */
export type LengthOf = (bytes: Buffer) => number | undefined;

/** Cuts a stream of bytes into frames; what has not come whole waits for the rest. */
export class Frames {
  private parts: Buffer[] = [];
  private size = 0;
  private needed = 1;

  constructor(private readonly lengthOf: LengthOf) {}

  push(chunk: Buffer): Buffer[] {
    this.parts.push(chunk);
    this.size += chunk.length;
    // A frame of a megabyte comes in many pieces: put them together once, not with each piece.
    if (this.size < this.needed) return [];
    let bytes = this.parts.length === 1 ? chunk : Buffer.concat(this.parts);
    const frames: Buffer[] = [];
    for (;;) {
      const length = this.lengthOf(bytes);
      this.needed = length ?? bytes.length + 1;
      if (length === undefined || bytes.length < length) break;
      frames.push(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
    this.parts = bytes.length === 0 ? [] : [bytes];
    this.size = bytes.length;
    return frames;
  }
}

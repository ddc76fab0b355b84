import { createRequire } from 'node:module';
import { takeMemory } from './request-memory.js';

/** As much of kafkajs's as is used here: what is written so far is `buf` up to `offset`. */
export interface Encoder {
  buf: Buffer;
  offset: number;
  readonly buffer: Buffer;
  writeString(text: string | null): this;
  writeInt16(n: number): this;
  writeInt32(n: number): this;
  /** Appends what another has written. */
  writeEncoder(other: Encoder): this;
}

const EncoderClass = createRequire(import.meta.url)('kafkajs/src/protocol/encoder.js') as {
  new (): Encoder;
  prototype: { writeEncoder: (this: Encoder, other: Encoder) => Encoder };
};

/** What kafkajs 2.2.4 puts before a request: its length, the API with its version, a number, and the client's name. */
const ROOM_BYTES = 1_024;

/** Those whose memory is their own, with room before what they hold. */
const roomy = new WeakSet<Encoder>();

/** One with memory for so many bytes, which whoever writes its head takes over with what it holds. */
export function roomyEncoder(bytes: number): Encoder {
  const encoder = new EncoderClass();
  encoder.buf = Buffer.from(takeMemory(ROOM_BYTES + bytes), ROOM_BYTES, bytes);
  roomy.add(encoder);
  return encoder;
}

const { writeEncoder } = EncoderClass.prototype;
/**
 * kafkajs copies a whole request twice, each time into memory of the next power of two that is filled with zeros first, to
 * put a few bytes before it. Memory outside the heap also brings on a collection of the whole heap each time some ten
 * megabytes were taken.
 */
EncoderClass.prototype.writeEncoder = function (other) {
  const { buffer: memory, byteOffset: room, length } = other.buf;
  if (!roomy.has(other) || room < this.offset) return writeEncoder.call(this, other);
  const buf = Buffer.from(memory, room - this.offset, this.offset + length);
  this.buf.copy(buf, 0, 0, this.offset);
  this.buf = buf;
  this.offset += other.offset;
  // Once: what another would put there would be before the same bytes.
  roomy.delete(other);
  roomy.add(this);
  return this;
};

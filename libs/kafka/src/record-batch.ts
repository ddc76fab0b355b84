import { crc32c } from '@node-rs/crc32';
import type { IHeaders, Message } from 'kafkajs';

/** Who sends a batch, as the broker gave it out (KIP-98); a producer id of -1 is that of one that is not idempotent. */
export interface Sender {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The producer's number of the first record, counted for each partition. */
  readonly firstSequence: number;
  readonly isTransactional: boolean;
}

type Text = Buffer | string | null | undefined;
type Header = readonly [name: string, value: Text];

/** Of everything before the records; and where in it what the checksum is of begins, and the length counts from. */
const HEAD_BYTES = 61;
const CHECKED_FROM = 21;
const COUNTED_FROM = 12;
const MAGIC = 2;
const TRANSACTIONAL = 0x10;

const NULL_LENGTH = -1;
const lengthOf = (text: Text): number => (text === null || text === undefined ? NULL_LENGTH : Buffer.byteLength(text));

/** A varint's number: signs are interleaved (ZigZag). Nothing here is below -1. */
const zigZag = (n: number): number => (n === NULL_LENGTH ? 1 : n * 2);

function sizeOfVarint(n: number): number {
  let size = 1;
  for (let rest = zigZag(n); rest > 0x7f; rest >>>= 7) size += 1;
  return size;
}

function sizeOfText(text: Text): number {
  const length = lengthOf(text);
  return sizeOfVarint(length) + Math.max(length, 0);
}

/** Header by header: kafkajs gives several of one name as a list. */
function listed(headers: IHeaders = {}): Header[] {
  const list: Header[] = [];
  for (const name of Object.keys(headers)) {
    const value = headers[name];
    if (Array.isArray(value)) for (const one of value) list.push([name, one]);
    else list.push([name, value]);
  }
  return list;
}

function sizeOfRecord({ key, value }: Message, headers: readonly Header[], at: number): number {
  let size = 2 + sizeOfVarint(at) + sizeOfText(key) + sizeOfText(value) + sizeOfVarint(headers.length);
  for (const [name, text] of headers) size += sizeOfText(name) + sizeOfText(text);
  return size;
}

/** Writes on, from a place in a buffer that is large enough. */
class Writer {
  constructor(
    private readonly buffer: Buffer,
    private at: number,
  ) {}

  byte(value: number): void {
    this.buffer[this.at] = value;
    this.at += 1;
  }

  varint(n: number): void {
    let rest = zigZag(n);
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  text(text: Text): void {
    this.varint(lengthOf(text));
    if (typeof text === 'string') this.at += this.buffer.write(text, this.at);
    else if (text) this.at += text.copy(this.buffer, this.at);
  }

  record({ key, value }: Message, headers: readonly Header[], at: number, size: number): void {
    this.varint(size);
    this.byte(0); // attributes: none are used
    this.varint(0); // later than the batch: nothing
    this.varint(at);
    this.text(key);
    this.text(value);
    this.varint(headers.length);
    for (const [name, text] of headers) {
      this.text(name);
      this.text(text);
    }
  }
}

/**
 * A batch of records without compression, as it stands in a request and in the log (Kafka's documentation, "Record
 * Batch", magic 2). It is measured, then written into memory that is there for it.
 */
export class RecordBatch {
  readonly bytes: number;
  private readonly headers: readonly (readonly Header[])[];
  private readonly sizes: readonly number[];

  /** @param time of all its records, in ms since 1970 */
  constructor(
    private readonly messages: readonly Message[],
    private readonly sender: Sender,
    private readonly time: number,
  ) {
    this.headers = messages.map((message) => listed(message.headers));
    this.sizes = messages.map((message, at) => sizeOfRecord(message, this.headers[at] ?? [], at));
    this.bytes = this.sizes.reduce((sum, size) => sum + sizeOfVarint(size) + size, HEAD_BYTES);
  }

  /** @param buffer so many bytes as it has */
  writeInto(buffer: Buffer): void {
    const { messages, sender, time } = this;
    const writer = new Writer(buffer, HEAD_BYTES);
    for (const [at, message] of messages.entries()) {
      writer.record(message, this.headers[at] ?? [], at, this.sizes[at] ?? 0);
    }
    buffer.writeBigInt64BE(0n, 0); // the broker gives out offsets
    buffer.writeInt32BE(buffer.length - COUNTED_FROM, 8);
    buffer.writeInt32BE(0, COUNTED_FROM); // epoch of the leader: the broker's too
    buffer.writeInt8(MAGIC, 16);
    buffer.writeInt16BE(sender.isTransactional ? TRANSACTIONAL : 0, CHECKED_FROM);
    buffer.writeInt32BE(messages.length - 1, 23);
    buffer.writeBigInt64BE(BigInt(time), 27);
    buffer.writeBigInt64BE(BigInt(time), 35);
    buffer.writeBigInt64BE(sender.producerId, 43);
    buffer.writeInt16BE(sender.producerEpoch, 51);
    buffer.writeInt32BE(sender.firstSequence, 53);
    buffer.writeInt32BE(messages.length, 57);
    buffer.writeUInt32BE(crc32c(buffer.subarray(CHECKED_FROM)), 17);
  }
}

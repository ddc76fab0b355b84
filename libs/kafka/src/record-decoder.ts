import { MOST_HEADERS } from '@castiron/contracts';
import { mend } from './mend.js';

/** As much of kafkajs's as is used here. */
interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readInt8(): number;
  readVarInt(): number;
  readVarLong(): { toString(): string };
  readBytes(length: number): Buffer;
  canReadBytes(length: number): boolean;
}

/** Of the batch that a record stands in. */
interface Batch {
  readonly firstOffset: string;
  readonly firstTimestamp: string;
  readonly magicByte: number;
  readonly isControlBatch?: boolean;
  readonly timestampType?: number;
  readonly maxTimestamp?: string;
}

type HeaderValue = Buffer | null;

/** The broker's time of arrival, which is that of the whole batch. */
const LOG_APPEND_TIME = 1;

/** One for all, for there may be two hundred thousand in a fetch. */
const EMPTY = Buffer.alloc(0);
/** An object that has this for its prototype inherits nothing, as one without any; but V8 keeps only the latter as a hash table. */
const NOTHING = Object.freeze(Object.create(null) as object);
const NO_HEADERS: Readonly<Record<string, never>> = Object.freeze(Object.create(null) as Record<string, never>);
/** A name and a value of no bytes. */
const SHORTEST_HEADER = 2;

/** Of any length below zero there is nothing, as the broker has it that let it pass. */
function bytesOf(decoder: Decoder): Buffer | null {
  const length = decoder.readVarInt();
  if (length < 0) return null;
  return length === 0 ? EMPTY : decoder.readBytes(length);
}

/** Without a buffer of its own, which costs more than the name. */
function nameOf(decoder: Decoder): string {
  const length = decoder.readVarInt();
  if (length < 0) return 'null';
  const from = decoder.offset;
  decoder.offset += length;
  return decoder.buffer.toString('utf8', from, decoder.offset);
}

/**
 * With nothing inherited: whoever writes a record gives the names, and `constructor` is one like any other. Of too many, one
 * more than a message may have, which tells; the rest is not looked at, for the record's bytes end with it.
 */
function headersOf(decoder: Decoder): Readonly<Record<string, HeaderValue | HeaderValue[]>> {
  const count = decoder.readVarInt();
  if (count === 0) return NO_HEADERS;
  const headers = Object.create(NOTHING) as Record<string, HeaderValue | HeaderValue[]>;
  for (let left = Math.min(count, MOST_HEADERS + 1); left > 0 && decoder.canReadBytes(SHORTEST_HEADER); left -= 1) {
    const name = nameOf(decoder);
    const value = bytesOf(decoder);
    const former = headers[name];
    if (former === undefined) headers[name] = value;
    else if (Array.isArray(former)) former.push(value);
    else headers[name] = [former, value];
  }
  return headers;
}

const GOES_ON = 0x80;
const SHORT_BYTES = 4;

/** Most are short: what 64 bits take is made for the others alone. */
function readLong(decoder: Decoder): bigint {
  const { buffer, offset } = decoder;
  for (let at = offset; at < offset + SHORT_BYTES; at += 1)
    if (((buffer[at] ?? 0) & GOES_ON) === 0) return BigInt(decoder.readVarInt());
  return BigInt(decoder.readVarLong().toString());
}

/** A record without its length (Kafka's documentation, "Record", magic 2), as kafkajs gives it out. */
export function decodeRecord(decoder: Decoder, batchContext: Batch) {
  const { firstOffset, firstTimestamp, magicByte, isControlBatch = false, timestampType, maxTimestamp } = batchContext;
  const attributes = decoder.readInt8();
  const later = readLong(decoder);
  const timestamp =
    timestampType === LOG_APPEND_TIME && maxTimestamp !== undefined
      ? maxTimestamp
      : String(BigInt(firstTimestamp) + later);
  const offset = String(BigInt(firstOffset) + BigInt(decoder.readVarInt()));
  const key = bytesOf(decoder);
  const value = bytesOf(decoder);
  const headers = headersOf(decoder);
  return {
    magicByte,
    attributes,
    timestamp,
    offset,
    key,
    value,
    headers,
    isControlRecord: isControlBatch,
    batchContext,
  };
}

/**
 * kafkajs 2.2.4 takes what every object has for a first value of a header of that name: a function among the values of
 * `toString`. It copies, for each header, all those before it: ten thousand in one record take 18 s. And of lengths below
 * zero it knows -1 alone, where the broker takes any: by another it goes back, and reads a number of headers out of a key.
 */
mend(decodeRecord, 'protocol/recordBatch/record/v0/decoder.js', 'protocol/recordBatch/v0/decoder.js');

import { mend } from './mend.js';

/** As much of kafkajs's as is used here. */
interface Decoder {
  readInt8(): number;
  readVarInt(): number;
  readVarLong(): { toString(): string };
  readVarIntBytes(): Buffer | null;
  readVarIntString(): string | null;
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

/** Without a prototype: whoever writes a record gives the names, and `constructor` is one like any other. */
function headersOf(decoder: Decoder): Record<string, HeaderValue | HeaderValue[]> {
  const headers = Object.create(null) as Record<string, HeaderValue | HeaderValue[]>;
  for (let left = decoder.readVarInt(); left > 0; left -= 1) {
    const name = String(decoder.readVarIntString());
    const value = decoder.readVarIntBytes();
    const former = headers[name];
    if (former === undefined) headers[name] = value;
    else if (Array.isArray(former)) former.push(value);
    else headers[name] = [former, value];
  }
  return headers;
}

/** A record without its length (Kafka's documentation, "Record", magic 2), as kafkajs gives it out. */
export function decodeRecord(decoder: Decoder, batchContext: Batch) {
  const { firstOffset, firstTimestamp, magicByte, isControlBatch = false, timestampType, maxTimestamp } = batchContext;
  const attributes = decoder.readInt8();
  const later = BigInt(decoder.readVarLong().toString());
  const timestamp =
    timestampType === LOG_APPEND_TIME && maxTimestamp !== undefined
      ? maxTimestamp
      : String(BigInt(firstTimestamp) + later);
  const offset = String(BigInt(firstOffset) + BigInt(decoder.readVarInt()));
  const key = decoder.readVarIntBytes();
  const value = decoder.readVarIntBytes();
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
 * `toString`. And it copies, for each header, all those before it: ten thousand in one record take 18 s.
 */
mend(decodeRecord, 'protocol/recordBatch/record/v0/decoder.js', 'protocol/recordBatch/v0/decoder.js');

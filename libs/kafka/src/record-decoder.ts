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
  readonly firstTimestamp: string;
  readonly isControlBatch?: boolean;
  readonly timestampType?: number;
  readonly maxTimestamp?: string;
}

type HeaderValue = Buffer | null;
type Headers = Readonly<Record<string, HeaderValue | HeaderValue[]>>;

/** The broker's time of arrival, which is that of the whole batch. */
const LOG_APPEND_TIME = 1;

/** One for all, for there may be two hundred thousand in a fetch. */
const EMPTY = Buffer.alloc(0);
/** An object with this for its prototype inherits nothing. One with none does neither, but V8 keeps it as a hash table, which takes longer. */
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
function headersOf(decoder: Decoder): Headers {
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

function skipLong(decoder: Decoder): void {
  while (((decoder.buffer[decoder.offset] ?? 0) & GOES_ON) !== 0) decoder.offset += 1;
  decoder.offset += 1;
}

/** When it was written, as its batch says it: by the broker's clock for all, or by the writer's for each. */
function timestampOf(decoder: Decoder, { firstTimestamp, timestampType, maxTimestamp }: Batch): string {
  if (timestampType !== LOG_APPEND_TIME || maxTimestamp === undefined)
    return String(BigInt(firstTimestamp) + BigInt(decoder.readVarLong().toString()));
  skipLong(decoder);
  return maxTimestamp;
}

/**
 * A record of a fetch. Key, value and headers are made of its bytes each time they are asked for, and are nobody's before: of the smallest
 * records a fetch holds hundreds of thousands, and whoever writes them chooses what becomes of their few bytes. A header
 * that is called `1023`, a number, makes V8 take 12 KB for the headers of its record.
 */
class DecodedRecord {
  /** Of its offset; the rest is of the batch, and is given to it by whoever reads that. */
  readonly offsetDelta: number;
  offset = '';
  readonly attributes: number;
  readonly timestamp: string;
  /** Where its key begins. */
  private readonly begin: number;

  constructor(
    private readonly decoder: Decoder,
    readonly batchContext: Batch,
  ) {
    this.attributes = decoder.readInt8();
    this.timestamp = timestampOf(decoder, batchContext);
    this.offsetDelta = decoder.readVarInt();
    this.begin = decoder.offset;
  }

  get isControlRecord(): boolean {
    return this.batchContext.isControlBatch ?? false;
  }

  get key(): Buffer | null {
    return bytesOf(this.behind(0));
  }

  get value(): Buffer | null {
    return bytesOf(this.behind(1));
  }

  get headers(): Headers {
    return headersOf(this.behind(2));
  }

  private behind(texts: number): Decoder {
    const { decoder } = this;
    decoder.offset = this.begin;
    for (let n = 0; n < texts; n += 1) {
      const length = decoder.readVarInt();
      decoder.offset += Math.max(0, length);
    }
    return decoder;
  }
}

/** A record without its length (Kafka's documentation, "Record", magic 2). */
export function decodeRecord(decoder: Decoder, batchContext: Batch): DecodedRecord {
  return new DecodedRecord(decoder, batchContext);
}

/**
 * kafkajs 2.2.4 takes what every object has for a first value of a header of that name: a function among the values of
 * `toString`. It copies, for each header, all those before it: ten thousand in one record take 18 s. And of lengths below
 * zero it knows -1 alone, where the broker takes any: by another it goes back, and reads a number of headers out of a key.
 */
mend(decodeRecord, 'protocol/recordBatch/record/v0/decoder.js', 'protocol/recordBatch/v0/decoder.js');

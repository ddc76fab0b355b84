import { createRequire } from 'node:module';
import { setImmediate } from 'node:timers/promises';
import { mend } from './mend.js';
// First: what decodes a batch loads the decoder of its records, which is mended too.
import './record-decoder.js';

/** As much of kafkajs's as is used here. */
interface Decoder {
  readInt32(): number;
  canReadBytes(length: number): boolean;
  readBytes(length: number): Buffer;
}

interface Fetched {
  offset: string;
  readonly isControlRecord: boolean;
}

interface Decoded extends Fetched {
  readonly offsetDelta: number;
}

interface Batch {
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
  readonly records: readonly Decoded[];
}

const require = createRequire(import.meta.url);
const DecoderClass = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => Decoder;
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (batches: Decoder) => Promise<Batch>;

/** As kafkajs has it: what is shorter is no batch. */
const HEAD_BYTES = 49;

/** Records after which others have their turn, at the end of a batch: of the smallest a fetch may hold hundreds of thousands. */
const MANY = 10_000;

/** Stands for what compaction took from the end of a batch: nobody is given it, and a reader goes on behind it. */
const goneUpTo = (offset: bigint, batchContext: Batch): Fetched & { key: null; batchContext: Batch } => ({
  offset: String(offset),
  isControlRecord: true,
  key: null,
  batchContext,
});

/**
 * The records of a fetch (Kafka's documentation, "Record Batch"; brokers of today give out no other format), where the
 * broker put them. Of what others write and nobody packs anew, it looks at the number of records and not at the place
 * that each names: so that is counted, but in a batch that was thinned out, which only its own writer's words tell.
 */
export async function fetchedRecords(decoder: Decoder): Promise<Fetched[]> {
  const bytes = decoder.readInt32();
  if (bytes <= 0 || !decoder.canReadBytes(bytes)) return [];
  const batches = new DecoderClass(decoder.readBytes(bytes));
  const fetched: Fetched[] = [];
  let sinceTurn = 0;
  while (batches.canReadBytes(HEAD_BYTES)) {
    let batch: Batch;
    try {
      batch = await decodeBatch(batches);
    } catch (error) {
      // A fetch ends where it was full.
      if (error instanceof Error && error.name === 'KafkaJSPartialMessageError') break;
      throw error;
    }
    const { firstOffset, lastOffsetDelta, records } = batch;
    const isWhole = records.length === lastOffsetDelta + 1;
    const first = BigInt(firstOffset);
    for (const [index, record] of records.entries()) {
      record.offset = String(first + BigInt(isWhole ? index : record.offsetDelta));
      fetched.push(record);
    }
    const last = first + BigInt(lastOffsetDelta);
    if (BigInt(records.at(-1)?.offset ?? -1) < last) fetched.push(goneUpTo(last, batch));
    sinceTurn += records.length;
    if (sinceTurn < MANY) continue;
    sinceTurn = 0;
    await setImmediate();
  }
  return fetched;
}

/**
 * kafkajs 2.2.4 believes what a record says of its place: of a batch whose records all name the first one, it goes on by one
 * offset a fetch, and reads all of it each time; one that names a far place takes its reader beyond the end. And it
 * hands a batch on as arguments of a call, of which there may be a hundred thousand, and no more. Of a batch of which nothing is
 * left, which compaction keeps where it is its producer's last, it hears nothing, and asks for it for ever.
 */
mend(fetchedRecords, 'protocol/requests/fetch/v4/decodeMessages.js', 'protocol/requests/fetch/v11/response.js');

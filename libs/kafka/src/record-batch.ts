import { crc32c } from '@node-rs/crc32';
import type { EncodedRecord } from './record-encoder.js';
import { sizeOfVarint, writeVarint } from './varint.js';

/** Who sends a batch, as the broker gave it out (KIP-98); a producer id of -1 is that of one that is not idempotent. */
export interface Sender {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The producer's number of the first record, counted for each partition. */
  readonly firstSequence: number;
  readonly isTransactional: boolean;
}

/** Of everything before the records; and where in it what the checksum is of begins, and the length counts from. */
const HEAD_BYTES = 61;
const CHECKED_FROM = 21;
const COUNTED_FROM = 12;
const MAGIC = 2;
const TRANSACTIONAL = 0x10;

/** A record's bytes after its length: attributes and a later time, both none, its place, and what was encoded. */
const sizeOf = (record: EncodedRecord, place: number): number => 2 + sizeOfVarint(place) + record.length;

/**
 * A batch of records without compression, as it stands in a request and in the log (Kafka's documentation, "Record
 * Batch", magic 2). It is measured, then written into memory that is there for it.
 */
export class RecordBatch {
  readonly bytes: number;

  /** @param time of all its records, in ms since 1970 */
  constructor(
    private readonly records: readonly EncodedRecord[],
    private readonly sender: Sender,
    private readonly time: number,
  ) {
    this.bytes = records.reduce((sum, record, place) => {
      const size = sizeOf(record, place);
      return sum + sizeOfVarint(size) + size;
    }, HEAD_BYTES);
  }

  /** @param buffer so many bytes as it has */
  writeInto(buffer: Buffer): void {
    const { records, sender, time } = this;
    let at = HEAD_BYTES;
    for (const [place, record] of records.entries()) {
      at = writeVarint(buffer, at, sizeOf(record, place));
      buffer[at] = 0; // attributes: none are used
      buffer[at + 1] = 0; // later than the batch: nothing
      at = record.copyTo(buffer, writeVarint(buffer, at + 2, place));
    }
    buffer.writeBigInt64BE(0n, 0); // the broker gives out offsets
    buffer.writeInt32BE(buffer.length - COUNTED_FROM, 8);
    buffer.writeInt32BE(0, COUNTED_FROM); // epoch of the leader: the broker's too
    buffer.writeInt8(MAGIC, 16);
    buffer.writeInt16BE(sender.isTransactional ? TRANSACTIONAL : 0, CHECKED_FROM);
    buffer.writeInt32BE(records.length - 1, 23);
    buffer.writeBigInt64BE(BigInt(time), 27);
    buffer.writeBigInt64BE(BigInt(time), 35);
    buffer.writeBigInt64BE(sender.producerId, 43);
    buffer.writeInt16BE(sender.producerEpoch, 51);
    buffer.writeInt32BE(sender.firstSequence, 53);
    buffer.writeInt32BE(records.length, 57);
    buffer.writeUInt32BE(crc32c(buffer.subarray(CHECKED_FROM)), 17);
  }
}

import { crc32c } from '@node-rs/crc32';
import type { ResponseParser } from '@platformatic/kafka';
import { RecordBatch } from '../record-batch.js';
import { RecordEncoder, type Encodable } from '../record-encoder.js';
import { onBroker, secondClient } from '../second-client.js';
import type { KafkaSettings } from '../types.js';
import { sizeOfVarint, writeVarint } from '../varint.js';

/** A message, and the place in its batch that it claims to have; or a record as it is, but for its length. */
export type Forged = (Encodable & { readonly place: number }) | Buffer;

const NOBODY = { producerId: -1n, producerEpoch: -1, firstSequence: -1, isTransactional: false };

function bytesOf(forged: Forged, encoder: RecordEncoder): Buffer {
  if (Buffer.isBuffer(forged)) return forged;
  const { place, ...message } = forged;
  const record = encoder.encode(message);
  // Attributes and a later time are none.
  const head = 2 + sizeOfVarint(place);
  const bytes = Buffer.alloc(head + record.length);
  writeVarint(bytes, 2, place);
  record.copyTo(bytes, head);
  return bytes;
}

/** Without a producer's name, as Kafka's documentation has it ("Record Batch"), but for the places. */
export function forgedBatch(messages: readonly Forged[]): Buffer {
  const encoder = new RecordEncoder();
  const records = messages.flatMap((message) => {
    const record = bytesOf(message, encoder);
    const length = Buffer.alloc(sizeOfVarint(record.length));
    writeVarint(length, 0, record.length);
    return [length, record];
  });
  const empty = new RecordBatch([], NOBODY, Date.now());
  const head = Buffer.alloc(empty.bytes);
  empty.writeInto(head);
  const batch = Buffer.concat([head, ...records]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(messages.length - 1, 23);
  batch.writeInt32BE(messages.length, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
}

const [PRODUCE, VERSION] = [0, 7];
const [LEADER_ONLY, TIMEOUT_MS] = [1, 5_000];

/** Sends bytes to the first partition of a topic, as anybody with the right to write may (Kafka's protocol, Produce). */
export async function sendForged(settings: KafkaSettings, topic: string, batch: Buffer): Promise<void> {
  const { Writer } = await secondClient();
  const request = Writer.create().appendString(null, false).appendInt16(LEADER_ONLY).appendInt32(TIMEOUT_MS);
  request
    .appendInt32(1)
    .appendString(topic, false)
    .appendInt32(1)
    .appendInt32(0)
    .appendInt32(batch.length)
    .append(batch);
  const errorCodeIn: ResponseParser<number> = (_id, _api, _version, reader) => {
    // One topic, its name, one partition, its number.
    reader.readInt32();
    reader.readString(false);
    reader.readInt32();
    reader.readInt32();
    return reader.readInt16();
  };
  const [broker = ''] = settings.brokers;
  const code = await onBroker(
    settings,
    broker,
    (connection) =>
      new Promise<number>((resolve, reject) =>
        connection.send(
          PRODUCE,
          VERSION,
          () => request,
          errorCodeIn,
          false,
          false,
          (error, answer = 0) => (error ? reject(error) : resolve(answer)),
        ),
      ),
  );
  if (code !== 0) throw new Error(`the broker refused it: ${code}`);
}

import { createRequire } from 'node:module';
import type { Message } from 'kafkajs';
import { roomyEncoder, type Encoder } from './encoder.js';
import { RecordBatch } from './record-batch.js';
import { EncodedRecord, RecordEncoder } from './record-encoder.js';
import { giveBackMemory } from './request-memory.js';

/**
 * kafkajs 2.2.4 makes several pieces of memory of each header, which is most of what sending costs. Its requests are encoded
 * here instead, all but what is compressed or has a time of its own.
 */

interface Batch {
  readonly partition: number;
  readonly messages: readonly (Message | EncodedRecord)[];
  readonly firstSequence?: number;
}
interface Produce {
  readonly acks: number;
  readonly timeout: number;
  readonly compression?: number;
  readonly transactionalId?: string | null;
  readonly producerId?: string | number;
  readonly producerEpoch?: number;
  readonly topicData: readonly { readonly topic: string; readonly partitions: readonly Batch[] }[];
}
interface Exchange {
  readonly request: { readonly encode: () => Promise<Encoder> };
  readonly response: { readonly decode: (answer: Buffer) => Promise<unknown> };
}
interface Definition {
  protocol: (chosen: { version: number }) => (produce: Produce) => Exchange;
}

const require = createRequire(import.meta.url);
const definition = require('kafkajs/src/protocol/requests/produce/index.js') as Definition;

/** The first version whose records are batches (KIP-98). */
const BATCHES_SINCE = 3;

const isPlain = ({ compression = 0, topicData }: Produce): boolean =>
  compression === 0 &&
  topicData.every(({ partitions }) =>
    partitions.every(({ messages }) =>
      messages.every((one) => one instanceof EncodedRecord || one.timestamp === undefined),
    ),
  );
const isEncoded = ({ topicData }: Produce): boolean =>
  topicData.some(({ partitions }) =>
    partitions.some(({ messages }) => messages.some((one) => one instanceof EncodedRecord)),
  );

const stringBytes = (text: string | null): number => 2 + (text === null ? 0 : Buffer.byteLength(text));

/** Kafka's protocol, Produce request, versions 3 to 8. */
function encode(produce: Produce): Encoder {
  const { acks, timeout, transactionalId = null, producerId = -1, producerEpoch = 0 } = produce;
  const sender = { producerId: BigInt(producerId), producerEpoch, isTransactional: transactionalId !== null };
  const time = Date.now();
  const encoder = new RecordEncoder();
  const encoded = (message: Message | EncodedRecord): EncodedRecord =>
    message instanceof EncodedRecord ? message : encoder.encode(message);
  const topics = produce.topicData.map(({ topic, partitions }) => ({
    topic,
    batches: partitions.map(({ partition, messages, firstSequence = 0 }) => ({
      partition,
      batch: new RecordBatch(messages.map(encoded), { ...sender, firstSequence }, time),
    })),
  }));
  let bytes = stringBytes(transactionalId) + 2 + 4 + 4;
  for (const { topic, batches } of topics) {
    bytes += stringBytes(topic) + 4;
    for (const { batch } of batches) bytes += 4 + 4 + batch.bytes;
  }
  const request = roomyEncoder(bytes)
    .writeString(transactionalId)
    .writeInt16(acks)
    .writeInt32(timeout)
    .writeInt32(topics.length);
  for (const { topic, batches } of topics) {
    request.writeString(topic).writeInt32(batches.length);
    for (const { partition, batch } of batches) {
      request.writeInt32(partition).writeInt32(batch.bytes);
      batch.writeInto(request.buf.subarray(request.offset, (request.offset += batch.bytes)));
    }
  }
  encoder.forget();
  return request;
}

const { protocol } = definition;
definition.protocol = (chosen) => (produce) => {
  const exchange = protocol(chosen)(produce);
  if (chosen.version < BATCHES_SINCE || !isPlain(produce)) {
    if (isEncoded(produce)) throw new TypeError('encoded messages go into a plain batch only');
    return exchange;
  }
  let written = 0;
  let memory: ArrayBufferLike | undefined;
  return {
    request: {
      ...exchange.request,
      encode: () => {
        const request = encode(produce);
        written += 1;
        memory = request.buf.buffer;
        return Promise.resolve(request);
      },
    },
    response: {
      ...exchange.response,
      decode: (answer) => {
        // Who answers has read it to its end. Written twice, the answer may be to the other.
        if (memory !== undefined && written === 1) giveBackMemory(memory);
        memory = undefined;
        return exchange.response.decode(answer);
      },
    },
  };
};

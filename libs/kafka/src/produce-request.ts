import { createRequire } from 'node:module';
import type { Message } from 'kafkajs';
import { encodeRecordBatch } from './record-batch.js';

/**
 * kafkajs 2.2.4 makes several pieces of memory of each header, which is most of what sending costs. Its requests are encoded
 * here instead, all but what is compressed or has a time of its own.
 */

interface Batch {
  readonly partition: number;
  readonly messages: readonly Message[];
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
/** As much of kafkajs's as is used here. */
interface Encoder {
  writeString(text: string | null): this;
  writeInt16(n: number): this;
  writeInt32(n: number): this;
  writeBytes(bytes: Buffer): this;
}
interface Exchange {
  readonly request: { readonly encode: () => Promise<Encoder> };
}
interface Definition {
  protocol: (chosen: { version: number }) => (produce: Produce) => Exchange;
}

const require = createRequire(import.meta.url);
const EncoderClass = require('kafkajs/src/protocol/encoder.js') as new (bytes?: number) => Encoder;
const definition = require('kafkajs/src/protocol/requests/produce/index.js') as Definition;

/** The first version whose records are batches (KIP-98). */
const BATCHES_SINCE = 3;

const isPlain = ({ compression = 0, topicData }: Produce): boolean =>
  compression === 0 &&
  topicData.every(({ partitions }) =>
    partitions.every(({ messages }) => messages.every(({ timestamp }) => timestamp === undefined)),
  );

function encode(produce: Produce): Encoder {
  const { acks, timeout, transactionalId = null, producerId = -1, producerEpoch = 0, topicData } = produce;
  const sender = { producerId: BigInt(producerId), producerEpoch, isTransactional: transactionalId !== null };
  const time = Date.now();
  const request = new EncoderClass()
    .writeString(transactionalId)
    .writeInt16(acks)
    .writeInt32(timeout)
    .writeInt32(topicData.length);
  for (const { topic, partitions } of topicData) {
    request.writeString(topic).writeInt32(partitions.length);
    for (const { partition, messages, firstSequence = 0 } of partitions)
      request.writeInt32(partition).writeBytes(encodeRecordBatch(messages, { ...sender, firstSequence }, time));
  }
  return request;
}

const { protocol } = definition;
definition.protocol = (chosen) => (produce) => {
  const exchange = protocol(chosen)(produce);
  if (chosen.version < BATCHES_SINCE || !isPlain(produce)) return exchange;
  return { ...exchange, request: { ...exchange.request, encode: () => Promise.resolve(encode(produce)) } };
};

import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { Message } from 'kafkajs';
import { expect, it } from 'vitest';
import { RecordBatch, type Sender } from './record-batch.js';
import { RecordEncoder } from './record-encoder.js';

const require = createRequire(import.meta.url);
type Encoded = { buffer: Buffer };
const { RecordBatch: KafkaJsBatch } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as {
  RecordBatch: (batch: object) => Promise<Encoded>;
};
const Record = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (record: object) => Encoded;

// Around 64 bytes a length takes one byte more.
const bytes = fc.uint8Array({ maxLength: 80, size: 'max' }).map((given) => Buffer.from(given));
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 80, size: 'max' }), bytes);
const message: fc.Arbitrary<Message> = fc.record({
  key: fc.option(text),
  value: fc.option(text),
  headers: fc.dictionary(fc.string({ unit: 'binary' }), fc.oneof(text, fc.array(text, { maxLength: 3 }))),
});
const sender: fc.Arbitrary<Sender> = fc.record({
  producerId: fc.bigInt({ min: -1n, max: 2n ** 62n }),
  producerEpoch: fc.integer({ min: 0, max: 32_767 }),
  firstSequence: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  isTransactional: fc.boolean(),
});

async function asKafkaJs(messages: readonly Message[], from: Sender, time: number): Promise<Buffer> {
  const batch = await KafkaJsBatch({
    producerId: String(from.producerId),
    producerEpoch: from.producerEpoch,
    firstSequence: from.firstSequence,
    transactional: from.isTransactional,
    firstTimestamp: time,
    maxTimestamp: time,
    lastOffsetDelta: messages.length - 1,
    records: messages.map((one, at) => Record({ ...one, offsetDelta: at, timestampDelta: 0 })),
  });
  return batch.buffer;
}

function written(messages: readonly Message[], from: Sender, time: number): Buffer {
  const encoder = new RecordEncoder();
  const records = messages.map((one) => encoder.encode(one));
  const batch = new RecordBatch(records, from, time);
  const buffer = Buffer.allocUnsafe(batch.bytes);
  batch.writeInto(buffer);
  return buffer;
}

it('writes any batch byte by byte as kafkajs does', async () => {
  const time = fc.integer({ min: 0, max: 2 ** 43 });
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 1, maxLength: 8 }), sender, time, async (messages, from, at) => {
      expect(written(messages, from, at).equals(await asKafkaJs(messages, from, at))).toBe(true);
    }),
  );
});

it('writes long batches and large values as kafkajs does', async () => {
  const from: Sender = { producerId: 4_711n, producerEpoch: 3, firstSequence: 12, isTransactional: false };
  const long = Array.from({ length: 20_000 }, (_, n) => ({ key: `k${n}`, value: null, headers: { n: String(n) } }));
  const large = [{ key: 'ключ', value: 'ü'.repeat(1_500_000), headers: { '': '' } }];
  for (const messages of [long, large])
    expect(written(messages, from, 0).equals(await asKafkaJs(messages, from, 0))).toBe(true);
});

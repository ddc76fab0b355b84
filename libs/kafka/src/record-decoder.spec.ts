import { createRequire } from 'node:module';
import { MOST_HEADERS } from '@castiron/contracts';
import fc from 'fast-check';
import { expect, it, onTestFinished } from 'vitest';
import './kafkajs.js';
import { decodeRecord } from './record-decoder.js';
import { RecordEncoder, type Encodable } from './record-encoder.js';

const require = createRequire(import.meta.url);
const PATH = require.resolve('kafkajs/src/protocol/recordBatch/record/v0/decoder.js');
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (bytes: Buffer) => Parameters<typeof decodeRecord>[0];

const Encoder = require('kafkajs/src/protocol/encoder.js') as new () => {
  writeVarLong(value: bigint): { readonly buffer: Buffer };
};

const batch = { firstOffset: '0', firstTimestamp: '1790000000000', magicByte: 2, maxTimestamp: '17' };

/** Attributes, a later time, a place, and the rest as it is sent. */
function bytesOf(message: Encodable, later: bigint): Buffer {
  const record = new RecordEncoder().encode(message);
  const { buffer: time } = new Encoder().writeVarLong(later);
  const bytes = Buffer.concat([Buffer.from([0]), time, Buffer.from([8]), Buffer.alloc(record.length)]);
  record.copyTo(bytes, time.length + 2);
  return bytes;
}

const decoded = (
  message: Encodable,
  context: typeof batch & { timestampType?: number } = batch,
  how = decodeRecord,
  later = 3n,
) => how(new Decoder(bytesOf(message, later)), context);

/** kafkajs's own, which was put aside; it stays in its place until the test is over. */
function putBack(): typeof decodeRecord {
  const ours = require.cache[PATH];
  onTestFinished(() => {
    require.cache[PATH] = ours;
  });
  delete require.cache[PATH];
  return require(PATH) as typeof decodeRecord;
}

const binary = fc.string({ unit: 'binary' });
const text = fc.oneof(binary, fc.constant(null));
const value = fc.oneof(binary, fc.constant(null as never));
const name = fc.oneof(binary, fc.nat(2_000).map(String)).filter((one) => !(one in Object.prototype));

type One = ReturnType<typeof decodeRecord>;

/** What both tell of a record; kafkajs takes its offset from what it says itself. */
const told = (record: One, offset: string | number) => {
  const { key, value: bytes, headers, attributes, timestamp, isControlRecord } = record;
  return { key, bytes, headers, attributes, timestamp, isControlRecord, offset: String(offset) };
};

it('reads as kafkajs does', () => {
  const theirs = putBack();
  expect(theirs).not.toBe(decodeRecord);
  const headers = fc.dictionary(name, fc.oneof(value, fc.array(value, { minLength: 1 })));
  const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  // As often short as long.
  const later = fc.tuple(long, fc.nat(63)).map(([n, bits]) => n >> BigInt(bits));
  const record = fc.record({ key: text, value: text, headers });
  fc.assert(
    fc.property(record, fc.constantFrom(0, 1), later, (one, type, by) => {
      const context = { ...batch, timestampType: type };
      const [ours, kafkaJs] = [decodeRecord, theirs].map((how) => decoded(one, context, how, by)) as [One, One];
      expect(told(ours, ours.offsetDelta)).toEqual(told(kafkaJs, kafkaJs.offset));
    }),
  );
});

it('is what kafkajs uses', () => {
  expect(require(PATH)).toBe(decodeRecord);
});

it('takes names that every object has for names', () => {
  const named = (name: string) => decoded({ value: 'v', headers: { [name]: ['a', null as never] } }).headers;
  for (const name of ['__proto__', 'constructor', 'toString'])
    expect(Object.entries(named(name))).toEqual([[name, [Buffer.from('a'), null]]]);
});

it('takes any length below zero for nothing, and reads on behind it', () => {
  // A key whose bytes would be a number of headers, were the value's length of -6 gone back by; one header, whose value has -2.
  const bytes = Buffer.from('0000000afeffffff0f0b02026103', 'hex');
  const { key, value, headers } = decodeRecord(new Decoder(bytes), batch);
  expect([key, value, { ...headers }]).toEqual([Buffer.from('feffffff0f', 'hex'), null, { a: null }]);
});

it('reads no more headers than there are bytes for', () => {
  const bytes = Buffer.from('0000000101feffffff0f026100', 'hex');
  expect(Object.keys(decodeRecord(new Decoder(bytes), batch).headers)).toEqual(['a']);
});

it('keeps of a record its bytes and not what a header makes of a few of them', () => {
  const bytes = bytesOf({ value: null, headers: { 1023: '' } }, 3n);
  const before = process.memoryUsage().heapUsed;
  const records = Array.from({ length: 30_000 }, () => decodeRecord(new Decoder(bytes), batch));
  expect((process.memoryUsage().heapUsed - before) / records.length).toBeLessThan(1_000);
  expect(records.at(-1)?.headers).toEqual({ 1023: Buffer.alloc(0) });
});

it('takes of hundreds of thousands of headers one more than a message may have, and the record for decoded', () => {
  const names = Array.from({ length: 300_000 }, (_, n) => [`h${n}`, ''] as const);
  const { value, headers } = decoded({ value: 'v', headers: Object.fromEntries(names) });
  expect(value).toEqual(Buffer.from('v'));
  expect(Object.keys(headers)).toEqual(names.slice(0, MOST_HEADERS + 1).map(([name]) => name));
  const [same = []] = Object.values(decoded({ value: 'v', headers: { same: names.map(() => 'a') } }).headers);
  expect(same).toHaveLength(MOST_HEADERS + 1);
});

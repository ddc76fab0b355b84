import { describe, expect, it } from 'vitest';
import { RecordEncoder, type EncodedRecord } from './record-encoder.js';

/** Messages of a page that is large enough for its memory to be kept. */
const encoded = (encoder: RecordEncoder, fill: string): EncodedRecord[] =>
  Array.from({ length: 200 }, (_, n) => encoder.encode({ key: `${n}`, value: fill.repeat(1_000) }));

/** Not by `toBe`, which would write out both. */
const shares = (encoder: RecordEncoder, { buffer }: Buffer): boolean => encoder.memory.buffer === buffer;

function bytesOf(record: EncodedRecord): Buffer {
  const buffer = Buffer.alloc(record.length);
  record.copyTo(buffer, 0);
  return buffer;
}

describe('the memory of messages', () => {
  it('serves others once all of them were sent, and not before', () => {
    const first = new RecordEncoder();
    const records = encoded(first, 'a');
    const { memory } = first;
    const [one, ...others] = records;
    for (const record of others) record.sent();
    const meanwhile = new RecordEncoder();
    encoded(meanwhile, 'b');
    expect(shares(meanwhile, memory)).toBe(false);
    expect(String(one && bytesOf(one))).toContain('a'.repeat(1_000));
    one?.sent();
    const next = new RecordEncoder();
    encoded(next, 'c');
    expect(shares(next, memory)).toBe(true);
  });

  it('is not what a message is sent from that was sent before', () => {
    const encoder = new RecordEncoder();
    const [record] = encoded(encoder, 'a');
    record?.sent();
    expect(() => record && bytesOf(record)).toThrow('sent before');
    expect(() => record?.ofKey(() => 0)).toThrow('sent before');
  });

  it('is given back once, whoever says so again', () => {
    const encoder = new RecordEncoder();
    const records = encoded(encoder, 'a');
    for (const record of records.slice(1)) for (let n = 0; n < 3; n += 1) record.sent();
    expect(String(records[0] && bytesOf(records[0]))).toContain('a'.repeat(1_000));
  });

  it('is another for what is encoded after all before was sent', () => {
    const encoder = new RecordEncoder();
    for (const record of encoded(encoder, 'a')) record.sent();
    const other = new RecordEncoder();
    const [former] = encoded(other, 'b');
    encoder.encode({ value: 'c'.repeat(1_000) });
    expect(shares(encoder, other.memory)).toBe(false);
    expect(String(former && bytesOf(former))).toContain('b'.repeat(1_000));
  });
});

it('cuts nothing off where its memory ends', () => {
  const encoder = new RecordEncoder();
  const values = Array.from({ length: 40 }, (_, n) => '€'.repeat(980 + n));
  const records = values.map((value) => encoder.encode({ value }));
  for (const [n, record] of records.entries()) expect(bytesOf(record).includes(values[n] ?? 'none')).toBe(true);
});

it('says no less than what a message takes of a batch', () => {
  const encoder = new RecordEncoder();
  const record = encoder.encode({ key: 'k', value: 'ü'.repeat(500), headers: { name: 'value' } });
  // Attributes, time, place, and a length before all.
  expect(record.bytes).toBeGreaterThanOrEqual(record.length + 5 + 1 + 1 + 5);
  expect(record.length).toBeGreaterThan(1_000);
});

import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { fetchedRecords } from './fetched-records.js';
import './kafkajs.js';
import { forgedBatch, type Forged } from './testing/forged-batch.js';

const require = createRequire(import.meta.url);
const Decoder = require('kafkajs/src/protocol/decoder.js') as new (
  bytes: Buffer,
) => Parameters<typeof fetchedRecords>[0];

const message = (place: number): Forged => ({ key: null, value: null, place });

type Placed = readonly [first: bigint, batch: Buffer];

/** As the broker gives out batches: with the offset of their first record, and with their length before them. */
async function recordsOf(...batches: readonly Placed[]) {
  for (const [first, batch] of batches) batch.writeBigInt64BE(first, 0);
  const bytes = Buffer.concat(batches.map(([, batch]) => batch));
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return fetchedRecords(new Decoder(Buffer.concat([length, bytes])));
}

const offsetsOf = async (...batches: readonly Placed[]): Promise<string[]> =>
  (await recordsOf(...batches)).map(({ offset }) => offset);

/** As compaction leaves it. */
function thinned(left: readonly number[], lastOffsetDelta: number): Buffer {
  const batch = forgedBatch(left.map(message));
  batch.writeInt32BE(lastOffsetDelta, 23);
  return batch;
}

it('is what kafkajs uses', () => {
  expect(require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages.js')).toBe(fetchedRecords);
});

describe('the records of a fetch', () => {
  it('stand where the broker put them, whatever they say themselves', async () => {
    const forged = forgedBatch([0, 0, 2 ** 31 - 1].map(message));
    const next = forgedBatch([message(0)]);
    expect(await offsetsOf([9007199254740993n, forged], [9007199254740996n, next])).toEqual(
      [3, 4, 5, 6].map((last) => `900719925474099${last}`),
    );
  });

  it('stand where they say in a batch of which some are gone', async () => {
    expect(await offsetsOf([10n, thinned([1, 4], 4)])).toEqual(['11', '14']);
  });

  it('are followed by what nobody is given where the end of a batch is gone, or all of it', async () => {
    const records = await recordsOf([10n, thinned([1, 4], 5)], [16n, thinned([], 3)], [20n, thinned([0], 0)]);
    expect(records.map(({ offset, isControlRecord }) => [offset, isControlRecord])).toEqual([
      ['11', false],
      ['14', false],
      ['15', true],
      ['19', true],
      ['20', false],
    ]);
  });

  it('may be more than a function takes arguments, and end where there was no more room', async () => {
    const many = forgedBatch(Array.from({ length: 149_000 }, () => message(0)));
    const offsets = await offsetsOf([7n, many], [149_007n, forgedBatch([message(0)]).subarray(0, -1)]);
    expect(offsets).toHaveLength(149_000);
    expect(offsets.at(-1)).toBe(String(7 + 149_000 - 1));
  });

  it('are many at times, and others have their turn between', async () => {
    let hadTurn = false;
    setImmediate(() => (hadTurn = true));
    const half = (): Buffer => forgedBatch(Array.from({ length: 6_000 }, () => message(0)));
    await recordsOf([0n, half()], [6_000n, half()]);
    expect(hadTurn).toBe(true);
  });
});

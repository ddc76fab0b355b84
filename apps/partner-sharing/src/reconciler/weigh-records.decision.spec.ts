import { expect, describe, it } from 'vitest';
import { weighRecords, type GroundedRecord } from './weigh-records.decision.js';

/** Records of a feed: the n-th stands at offset n. */
const stream = (...records: (Partial<GroundedRecord> & { entry: string; version: bigint })[]): GroundedRecord[] =>
  records.map((record, offset) => ({
    topic: 'feeds.acme.v1',
    partition: 0,
    offset: BigInt(offset),
    index: '0',
    share: 'a share',
    digest: Buffer.from(record.entry),
    ...record,
  }));
const offsets = (records: readonly GroundedRecord[]) => records.map(({ offset }) => Number(offset));

describe('records of a feed', () => {
  it('are first ones as long as versions rise', () => {
    const weighed = weighRecords(stream({ entry: 'a', version: 1n }, { entry: 'b', version: 2n }), [], []);
    expect(offsets(weighed.first)).toEqual([0, 1]);
    expect(offsets(weighed.last)).toEqual([1]);
    expect([weighed.copies, weighed.altered, weighed.fallen]).toEqual([[], [], []]);
  });

  it('are copies where the same bytes come again, here or elsewhere', () => {
    const [a, again, elsewhere] = stream(
      { entry: 'a', version: 1n },
      { entry: 'a', version: 1n },
      { entry: 'a', version: 1n, partition: 1 },
    );
    const weighed = weighRecords([again!, elsewhere!], [a!], [a!]);
    expect(offsets(weighed.copies)).toEqual([1, 2]);
    expect([weighed.first, weighed.altered, weighed.fallen]).toEqual([[], [], []]);
  });

  it('are altered where other bytes come under the same entry, and change nothing', () => {
    const weighed = weighRecords(
      stream({ entry: 'a', version: 1n }, { entry: 'a', version: 1n, digest: Buffer.from('x') }),
      [],
      [],
    );
    expect(offsets(weighed.altered)).toEqual([1]);
    expect(offsets(weighed.last)).toEqual([0]);
  });

  it('fall where an older version of their share comes behind, also one that is not remembered', () => {
    const [a, b, copy, forgotten, other] = stream(
      { entry: 'a', version: 1n },
      { entry: 'b', version: 3n },
      { entry: 'a', version: 1n },
      { entry: 'c', version: 2n },
      { entry: 'd', version: 1n, share: 'another' },
    );
    const weighed = weighRecords([copy!, forgotten!, other!], [a!, b!], [b!]);
    expect(offsets(weighed.fallen)).toEqual([2, 3]);
    expect(offsets(weighed.copies)).toEqual([2]);
    expect(offsets(weighed.last)).toEqual([4]);
  });

  it('mean nothing where a feed is read anew', () => {
    const [a, b] = stream({ entry: 'a', version: 1n }, { entry: 'b', version: 2n });
    const weighed = weighRecords([a!, b!], [b!], [b!]);
    expect([weighed.copies, weighed.altered, weighed.fallen]).toEqual([[], [], []]);
  });
});

import { isSamePlace, type Place } from './place.js';

/** A record that an entry stands behind. */
export interface GroundedRecord extends Place {
  readonly entry: string;
  /** The entry's, in the ledger. */
  readonly index: string;
  readonly share: string;
  readonly version: bigint;
  readonly digest: Buffer;
}

/** Where the record of an entry was seen, and what it was. */
export type SeenRecord = Place & Pick<GroundedRecord, 'entry' | 'digest'>;
/** The newest record of a share that was seen. */
export type LastRecord = SeenRecord & Pick<GroundedRecord, 'share' | 'version'>;

/** What records mean beside those that were seen before. */
export interface Weighed {
  /** The first of their entries. */
  readonly first: readonly GroundedRecord[];
  /** The same bytes as were seen before. */
  readonly copies: readonly GroundedRecord[];
  /** Others than were seen before under the same entry. */
  readonly altered: readonly GroundedRecord[];
  /** Behind a newer one of their share. */
  readonly fallen: readonly GroundedRecord[];
  /** What is the newest of its share now. */
  readonly last: readonly GroundedRecord[];
}

const isReadAnew = (one: Place, before: Place): boolean =>
  one.topic === before.topic && one.partition === before.partition && one.offset < before.offset;

/**
 * Tells copies from first records, and finds where a version fell. Pure.
 * @param records in the order in which they stand
 */
export function weighRecords(
  records: readonly GroundedRecord[],
  seenBefore: readonly SeenRecord[],
  lastBefore: readonly LastRecord[],
): Weighed {
  const seen = new Map([...lastBefore, ...seenBefore].map((one) => [one.entry, one]));
  const last = new Map<string, LastRecord>(lastBefore.map((one) => [one.share, one]));
  const first: GroundedRecord[] = [];
  const copies: GroundedRecord[] = [];
  const altered: GroundedRecord[] = [];
  const fallen: GroundedRecord[] = [];
  const raised = new Map<string, GroundedRecord>();
  for (const record of records) {
    const before = seen.get(record.entry);
    if (before !== undefined && isSamePlace(before, record)) continue;
    if (before !== undefined && !before.digest.equals(record.digest)) {
      altered.push(record);
      continue;
    }
    (before === undefined ? first : copies).push(record);
    if (before === undefined) seen.set(record.entry, record);
    const newest = last.get(record.share);
    if (newest !== undefined && record.version < newest.version) {
      if (!isReadAnew(record, newest)) fallen.push(record);
      continue;
    }
    last.set(record.share, record);
    raised.set(record.share, record);
  }
  return { first, copies, altered, fallen, last: [...raised.values()] };
}

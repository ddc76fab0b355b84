import type { DataOf } from '../event.js';
import type { AttributeName, PurposeName } from '../catalogue.js';
import type { withdrawalDue } from './duties.events.js';
import type { feedRecord } from './feed-record.event.js';

type FeedRecord = DataOf<typeof feedRecord>;

/**
 * What a recipient holds about one subject, and what it must remember to never go back. The functions below are what a
 * record, a tombstone and a withdrawal mean to whoever reads a feed; they change nothing and do no input or output.
 */
export interface HeldCopy {
  /** The version of the last record applied; 0 before the first. */
  readonly version: number;
  /** Records below are stale, for a duty already told of their withdrawal. */
  readonly floor: number;
  /** The key was deleted. The version stays known, so that a late duplicate revives nothing. */
  readonly deleted: boolean;
  readonly attributes: FeedRecord['attributes'];
  readonly mailing: FeedRecord['mailing'];
}

export const NOTHING_HELD: HeldCopy = Object.freeze({
  version: 0,
  floor: 0,
  deleted: false,
  attributes: {},
  mailing: 'stopped',
});

/** The copy after a record of the feed; undefined where the record is stale and changes nothing. */
export function afterRecord(copy: HeldCopy, record: FeedRecord): HeldCopy | undefined {
  // A feed that is read again from its start shows a deletion before the record that the copy already has.
  const readAgain = copy.deleted && record.version === copy.version;
  if (record.version < copy.floor || (record.version <= copy.version && !readAgain)) return undefined;
  const attributes = { ...record.attributes };
  for (const [name, attribute] of Object.entries(attributes)) {
    const before = copy.attributes[name as AttributeName]?.value;
    // `held`: keep what is there, do not use it.
    if (attribute.held !== undefined && attribute.value === undefined && before !== undefined) {
      attributes[name as AttributeName] = { ...attribute, value: before };
    }
  }
  return { version: record.version, floor: copy.floor, deleted: false, attributes, mailing: record.mailing };
}

/** The copy after the subject's key was deleted from the feed: nothing is held. */
export function afterTombstone(copy: HeldCopy): HeldCopy {
  return { ...copy, deleted: true, attributes: {}, mailing: 'stopped' };
}

/**
 * The copy after a withdrawal that a duty told of. Where the feed's record of that version was applied already, the
 * record did the work: what is held since then was given anew.
 */
export function afterWithdrawal(copy: HeldCopy, duty: DataOf<typeof withdrawalDue>): HeldCopy {
  if (copy.version >= duty.version) return copy;
  const floor = Math.max(copy.floor, duty.version);
  if (duty.complete) return { ...copy, floor, attributes: {}, mailing: 'stopped' };
  const attributes = { ...copy.attributes };
  for (const name of duty.attributes) delete attributes[name];
  for (const { purpose, attributes: names } of duty.purposes ?? []) {
    for (const name of names) {
      const attribute = attributes[name];
      if (attribute === undefined) continue;
      attributes[name] = { ...attribute, purposes: attribute.purposes.filter((one) => one.purpose !== purpose) };
    }
  }
  const mails = Object.values(attributes).some(({ purposes }) => purposes.some(({ purpose }) => purpose === 'mailing'));
  return { ...copy, floor, attributes, mailing: mails ? copy.mailing : 'stopped' };
}

/** The value that may be used for this purpose now; undefined where there is none, or it is held. */
export function usableValue(copy: HeldCopy, name: AttributeName, purpose: PurposeName): string | undefined {
  const attribute = copy.attributes[name];
  if (attribute === undefined || attribute.held !== undefined) return undefined;
  return attribute.purposes.some((one) => one.purpose === purpose) ? attribute.value : undefined;
}

/** Whether anything is held. */
export function holdsAnything(copy: HeldCopy): boolean {
  return Object.keys(copy.attributes).length > 0;
}

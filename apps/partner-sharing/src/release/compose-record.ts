import { attributeAad, open, type CustomerKeys } from '@castiron/encryption';
import {
  encodeEvent,
  encodeTombstone,
  feedRecord,
  newEventId,
  type AttributeName,
  type DataOf,
  type WireMessage,
} from '@castiron/contracts';
import {
  composeEntry,
  derivedSalts,
  randomSalts,
  type ComposedEntry,
  type DraftAttribute,
  type EntryDraft,
} from '@castiron/ledger';
import { POLICY_VERSION } from '../confidentiality/decision.js';
import type { LoadedShare } from './load-shares.js';
import type { Plan } from './plan-release.decision.js';

/** A record ready to be released: all but its index, which the ledger gives. */
export interface PreparedRecord {
  readonly share: LoadedShare;
  readonly plan: Plan;
  /** Rows of pending_releases that this record answers. */
  readonly pending: readonly string[];
  readonly draft: EntryDraft;
  readonly entry: ComposedEntry;
  readonly recordId: string;
  readonly version: number;
  /** Where its feed ended before it was sent, by partition. */
  readonly feedEnds: readonly bigint[];
  readonly values: Readonly<Partial<Record<AttributeName, string>>>;
}

function valuesOf(
  share: LoadedShare,
  plan: Plan,
  keys: CustomerKeys | undefined,
): Partial<Record<AttributeName, string>> {
  const values: Partial<Record<AttributeName, string>> = {};
  for (const { name } of plan.holds) {
    const source = share.attributes[name];
    if (source === undefined || keys === undefined)
      throw new Error('a record with attributes needs their values and key');
    const aad = attributeAad(share.customer, name, source.version);
    values[name] = open(keys.dataKey, Buffer.from(source.sealed, 'base64'), aad).toString('utf8');
  }
  return values;
}

/** @param keys may be missing where no attribute goes: the salts are random then. */
export function composeRecord(
  share: LoadedShare,
  plan: Plan,
  pending: readonly string[],
  keys: CustomerKeys | undefined,
  feedEnds: readonly bigint[],
  now: Date,
): PreparedRecord {
  const values = valuesOf(share, plan, keys);
  const recordId = newEventId();
  const version = share.version + 1;
  const attributes: Record<string, DraftAttribute> = {};
  for (const { name, purposes } of plan.holds) attributes[name] = { purposes, value: values[name] };
  const draft: EntryDraft = {
    id: newEventId(),
    kind: plan.kind,
    at: now,
    recipient: share.recipient,
    recordId,
    version,
    agreement: share.agreement,
    policyVersion: POLICY_VERSION,
    subject: share.subject,
    attributes,
  };
  const entry = composeEntry(draft, keys === undefined ? randomSalts() : derivedSalts(keys.ledgerKey));
  return { share, plan, pending, draft, entry, recordId, version, feedEnds, values };
}

/** What was prepared and is no longer allowed: the ledger says so, and no value is committed to. */
export function composeWithheld(prepared: PreparedRecord, now: Date): ComposedEntry {
  const attributes: Record<string, DraftAttribute> = {};
  for (const { name, purposes } of prepared.plan.holds) attributes[name] = { purposes };
  const draft: EntryDraft = {
    ...prepared.draft,
    id: newEventId(),
    kind: 'withheld',
    at: now,
    recordId: null,
    version: null,
    attributes,
  };
  return composeEntry(draft, randomSalts());
}

/** The record as it stands on the feed, once the ledger has given its index. */
export function recordMessage(prepared: PreparedRecord, index: bigint): WireMessage {
  const { share, plan, entry, values } = prepared;
  const meta = { id: prepared.recordId, time: prepared.draft.at, ledgerEntry: entry.leaf.id };
  if (plan.kind === 'tombstone') return encodeTombstone(feedRecord, share.subject, meta, share.recipient);
  const attributes: DataOf<typeof feedRecord>['attributes'] = {};
  for (const { name, purposes } of plan.holds) {
    attributes[name] = {
      value: values[name] ?? '',
      purposes: purposes.map(({ purpose, ground }) => ({ purpose, ground })),
      opening: entry.openings.attributes[name] ?? '',
    };
  }
  const data: DataOf<typeof feedRecord> = {
    subject: share.subject,
    version: prepared.version,
    entry: entry.leaf.id,
    index: index.toString(),
    opening: entry.openings.subject,
    attributes,
    mailing: plan.mailing,
    ...(share.mailingCancelledAt !== null && { mailingCancelledAt: share.mailingCancelledAt.toISOString() }),
  };
  return encodeEvent(feedRecord, data, meta, share.recipient);
}

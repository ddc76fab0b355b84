import { isDeepStrictEqual } from 'node:util';
import {
  decodeMessage,
  feedRecord,
  feeds,
  feedTick,
  FEED_TICK_TYPE,
  typeOf,
  type DataOf,
  type RawMessage,
} from '@castiron/contracts';
import { openingProblem, type Leaf } from '@castiron/ledger';

/** What a message on a feed says that it is. */
export type Claim =
  | { readonly kind: 'tick' }
  | { readonly kind: 'no-record'; readonly problem: string }
  | {
      readonly kind: 'record';
      /** Of the ledger, that it names. */
      readonly entry: string;
      readonly recordId: string;
      readonly recipient: string;
      readonly subject: string;
      /** null: a tombstone. */
      readonly data: DataOf<typeof feedRecord> | null;
    };

export type RecordClaim = Extract<Claim, { kind: 'record' }>;

/** An entry that a record names, and what else is known of it. */
export interface NamedEntry {
  readonly leaf: Leaf;
  readonly index: string;
  /** Whose it is; null where nothing tells. */
  readonly share: string | null;
  readonly subject: string | null;
  /** Of the entry that says that it was aborted, where there is one. */
  readonly reached: 'no' | 'maybe' | null;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Nothing but what makes a tick is one: a subject's key or a value under its type would be somebody's data. */
function isTick(message: RawMessage, partition: number): boolean {
  const tick = feedTick(message.topic, partition);
  const headers = Object.fromEntries(
    Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
  return message.value === null && message.key?.toString() === tick.key && isDeepStrictEqual(headers, tick.headers);
}

/** What a message says that it is; whether that is so is for {@link groundProblem}. */
export function claimOf(message: RawMessage, partition: number): Claim {
  const no = (problem: string): Claim => ({ kind: 'no-record', problem });
  if (typeOf(message) === FEED_TICK_TYPE)
    return isTick(message, partition) ? { kind: 'tick' } : no('it is of the type of ticks and is none');
  const decoded = decodeMessage(message, [feedRecord]);
  // The code alone: a detail may name what somebody wrote.
  if (!decoded.ok) return no(`it is no record (${decoded.reason})`);
  const { key, meta } = decoded.event;
  // Sound: only feed records were asked for.
  const data = decoded.event.data as DataOf<typeof feedRecord> | null;
  const entry = meta.ledgerEntry;
  if (entry === undefined || !UUID.test(entry)) return no('it names no entry');
  if (data !== null && data.entry !== entry) return no('it names two entries');
  const recipient = feeds.slugOf(message.topic) ?? '';
  return { kind: 'record', entry, recordId: meta.id, recipient, subject: key, data };
}

/**
 * Why no entry of the ledger stands behind a record; undefined where one does. Pure; names fields and never a value.
 * @param named the entry that the record names, where the ledger has it
 */
export function groundProblem(claim: RecordClaim, named: NamedEntry | undefined): string | undefined {
  if (named === undefined) return 'there is no entry as it names';
  const { leaf, index, subject, reached } = named;
  if (leaf.recipient !== claim.recipient) return 'its entry is of another recipient';
  if (leaf.recordId !== claim.recordId) return 'its entry is of another record';
  if (subject !== claim.subject) return 'its entry is of another subject';
  if (reached === 'no') return 'its entry was aborted before it was sent';
  if (claim.data === null) return leaf.kind === 'tombstone' ? undefined : 'its entry is not of a tombstone';
  if (claim.data.index !== index) return 'its entry stands at another index';
  const problem = openingProblem(leaf, claim.data);
  return problem === undefined ? undefined : `it does not open its entry (${problem})`;
}

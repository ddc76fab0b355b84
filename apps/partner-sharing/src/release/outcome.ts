import type { Holding, ShareState } from '../shares/share.js';
import type { PreparedRecord } from './compose-record.js';
import type { RecordKind } from './plan-release.decision.js';

/** What becomes of a share when its record is sent; kept beside the send, so that a successor can settle it. */
export interface Outcome {
  readonly kind: RecordKind;
  readonly version: number;
  readonly recordId: string;
  readonly index: string;
  readonly at: string;
  readonly recipient: string;
  readonly recipientName: string;
  readonly internal: boolean;
  readonly customer: string;
  readonly subject: string;
  readonly holds: readonly Holding[];
  readonly mailing: 'allowed' | 'stopped';
  /** Days to delete what it withdraws; not in what a former version sent. */
  readonly daysToDelete?: number;
  /** Offsets behind which it stands, by partition of its feed; not in what a former version sent. */
  readonly feedEnds?: readonly string[];
  readonly before: { readonly state: ShareState; readonly holds: readonly Holding[] };
}

export function outcomeOf({ share, plan, version, recordId, draft, feedEnds }: PreparedRecord, index: bigint): Outcome {
  return {
    kind: plan.kind,
    version,
    recordId,
    index: index.toString(),
    at: draft.at.toISOString(),
    recipient: share.recipient,
    recipientName: share.recipientName,
    internal: share.facts?.recipient.kind === 'internal',
    customer: share.customer,
    subject: share.subject,
    holds: plan.holds,
    mailing: plan.mailing,
    daysToDelete: share.daysToDelete,
    feedEnds: feedEnds.map(String),
    before: { state: share.state, holds: share.holds },
  };
}

export const STATE_AFTER: Readonly<Record<RecordKind, ShareState>> = {
  released: 'released',
  withdrawn: 'withdrawn',
  tombstone: 'ended',
};

/** A row of sending_records. */
export interface SendingRow {
  readonly share: string;
  readonly lane: number;
  readonly token: string;
  readonly batch: string;
  readonly entry: string;
  readonly agreement: string | null;
  readonly outcome: Outcome;
  /** For more than half of the time that a feed keeps a tombstone. */
  readonly isOld: boolean;
}

import type { AttributeName } from '@castiron/contracts';
import { decideShare } from '../confidentiality/decide-share.decision.js';
import type { AllowedAttributes } from '../confidentiality/decision.js';
import { fingerprintOf, type Holding } from '../shares/share.js';
import type { LoadedShare } from './load-shares.js';

export type RecordKind = 'released' | 'withdrawn' | 'tombstone';

/** What is to be published of a share now. */
export interface Plan {
  readonly kind: RecordKind;
  readonly attributes: AllowedAttributes;
  readonly holds: readonly Holding[];
  readonly mailing: 'allowed' | 'stopped';
}

/** What a recipient may hold of this share now; nothing where the profile has not arrived. */
export function allowedNow(share: LoadedShare, now: Date): AllowedAttributes {
  return share.facts === null ? {} : decideShare(share.facts, now).attributes;
}

function holdsOf(share: LoadedShare, attributes: AllowedAttributes): Holding[] {
  return (Object.keys(attributes) as AttributeName[]).map((name) => ({
    name,
    version: share.attributes[name]?.version ?? 0,
    purposes: attributes[name]?.purposes ?? [],
  }));
}

/**
 * Decides which record, if any, brings the feed to what is allowed now. Pure.
 * Nothing allowed and nothing on the feed: no record, for a record would tell the recipient that there is a customer.
 * @param republish publish even what did not change: the last send may not have arrived whole, an older record may stand
 *   behind it, or a cancellation is to be acknowledged
 */
export function planRelease(share: LoadedShare, now: Date, republish: boolean): Plan | undefined {
  const attributes = allowedNow(share, now);
  const holds = holdsOf(share, attributes);
  if (holds.length > 0) {
    const mailing = holds.some(({ purposes }) => purposes.some(({ purpose }) => purpose === 'mailing'))
      ? 'allowed'
      : 'stopped';
    const same =
      share.state === 'released' && fingerprintOf(holds, mailing) === fingerprintOf(share.holds, share.mailing);
    return same && !republish ? undefined : { kind: 'released', attributes, holds, mailing };
  }
  const nothing = { attributes: {}, holds: [], mailing: 'stopped' } as const;
  if (share.state === 'released') return { kind: 'withdrawn', ...nothing };
  // The key is gone from the feed: told once more, and not to whoever never heard of the subject.
  if (share.state === 'ended') return republish ? { kind: 'tombstone', ...nothing } : undefined;
  if (share.state !== 'withdrawn') return undefined;
  // The key itself goes once the recipient has confirmed, or its time is over.
  if (!share.owesDeletion) return { kind: 'tombstone', ...nothing };
  return republish ? { kind: 'withdrawn', ...nothing } : undefined;
}

/** Whether every attribute, purpose and ground of the plan is still allowed. */
export function stillAllowed(planned: AllowedAttributes, allowed: AllowedAttributes): boolean {
  return (Object.keys(planned) as AttributeName[]).every((name) =>
    (planned[name]?.purposes ?? []).every((one) =>
      allowed[name]?.purposes.some(({ purpose, ground }) => purpose === one.purpose && ground === one.ground),
    ),
  );
}

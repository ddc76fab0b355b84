import { decodeMessage, profileChanged } from '@castiron/contracts';
import type { OwnRecord } from '@castiron/outbox';
import type { LostProfile } from './recover-profile.decision.js';

interface Told {
  /** What a lost life told last. */
  lost?: LostProfile;
  /** Of all that was told from then on, by either life: what stands before it is in the backup. */
  readonly versions: number[];
}

/** By customer, in the order in which it was told: what a life that was lost told stands before what was told since. */
export function toldProfiles(records: readonly OwnRecord[]): ReadonlyMap<string, Told> {
  const told = new Map<string, Told>();
  for (const record of records) {
    const decoded = decodeMessage(record, [profileChanged]);
    if (!decoded.ok || decoded.event.data === null) continue;
    const data = decoded.event.data as LostProfile;
    const of = told.get(data.customer) ?? { versions: [] };
    if (!record.isKnown && (of.lost === undefined || of.lost.version < data.version)) of.lost = data;
    if (of.lost !== undefined) of.versions.push(data.version);
    told.set(data.customer, of);
  }
  return told;
}

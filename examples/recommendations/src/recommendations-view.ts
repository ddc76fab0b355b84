import {
  afterRecord,
  afterTombstone,
  afterWithdrawal,
  decodeMessage,
  FEED_TICK_TYPE,
  feedRecord,
  NOTHING_HELD,
  typeOf,
  usableValue,
  type withdrawalDue,
  type DataOf,
  type HeldCopy,
  type RawMessage,
} from '@castiron/contracts';
import { recommend } from './recommend.js';

/** One customer who may be recommended something now. */
export interface Recommendation {
  readonly subject: string;
  readonly companyName: string;
  readonly recommended: readonly string[];
}

/** What became of a message, for the log: ids and counts, no values. */
export type Change = 'appeared' | 'changed' | 'disappeared' | 'nothing' | 'not-understood';

/** Who may be recommended what, in memory: whatever the feed withdraws is gone at once, and nothing is on a disk. */
export class RecommendationsView {
  private readonly copies = new Map<string, HeldCopy>();

  /** Takes a message of the feed. */
  takeRecord(message: RawMessage): Change {
    if (typeOf(message) === FEED_TICK_TYPE) return 'nothing';
    const decoded = decodeMessage(message, [feedRecord]);
    if (!decoded.ok) return 'not-understood';
    // Sound: only feed records were asked for.
    const data = decoded.event.data as DataOf<typeof feedRecord> | null;
    const before = this.copies.get(decoded.event.key) ?? NOTHING_HELD;
    return this.replace(decoded.event.key, data === null ? afterTombstone(before) : afterRecord(before, data));
  }

  /** Deletes what a withdrawal names. */
  takeWithdrawal(duty: DataOf<typeof withdrawalDue>): Change {
    return this.replace(duty.subject, afterWithdrawal(this.copies.get(duty.subject) ?? NOTHING_HELD, duty));
  }

  list(): Recommendation[] {
    return [...this.copies].flatMap(([subject, copy]) => recommendationOf(subject, copy) ?? []);
  }

  private replace(subject: string, copy: HeldCopy | undefined): Change {
    if (copy === undefined) return 'nothing';
    const before = recommendationOf(subject, this.copies.get(subject) ?? NOTHING_HELD);
    this.copies.set(subject, copy);
    const after = recommendationOf(subject, copy);
    if (before === undefined) return after === undefined ? 'nothing' : 'appeared';
    if (after === undefined) return 'disappeared';
    return JSON.stringify(before) === JSON.stringify(after) ? 'nothing' : 'changed';
  }
}

/** Uses each value for the purpose `recommendation` alone (P2, P8), also where the feed gave it for another too. */
function recommendationOf(subject: string, copy: HeldCopy): Recommendation | undefined {
  const companyName = usableValue(copy, 'companyName', 'recommendation');
  const servicesUsed = usableValue(copy, 'servicesUsed', 'recommendation');
  if (companyName === undefined && servicesUsed === undefined) return undefined;
  return { subject, companyName: companyName ?? '', recommended: recommend(servicesUsed ?? '') };
}

import { LONGEST_WAIT_MS } from '../plan/faults.js';
import type { Happened } from '../rig/nemesis.js';
import type { OwnEnd } from '../rig/own-end.js';
import type { Anomaly } from './observed.js';

/** How long after a fault a process that starts may give up for it, in ms: an answer that it waits for, twice where all is slow. */
const FELT_FOR_MS = 2 * LONGEST_WAIT_MS;

/** A process that ended although nobody had asked it to. */
export interface Ended extends OwnEnd {
  /** `<service>-<number>` */
  readonly replica: string;
  /** ISO 8601. */
  readonly time: string;
}

/** Whether a fault takes something away that a process needs, or disturbs those that it shares its database with. */
function isFeltBy({ fault, replica: met }: Happened, replica: string): boolean {
  switch (fault.kind) {
    case 'broker-away':
    case 'broker-restart':
    case 'database-restart':
    case 'backends-terminated':
      return true;
    default:
      return met?.replace(/-\d+$/, '') === replica.replace(/-\d+$/, '');
  }
}

const nameOf = ({ replica, why }: Ended): string => `${replica} ended by itself: ${why}`;

/**
 * Processes that ended by themselves: those that could not start without what a fault had taken away, and all others, which are
 * wrong. What a process says of its end is not enough: it may say the same where nothing is away.
 * @param met all faults, those included that did not come to pass as they were meant to
 */
export function ownEndsIn(
  ended: readonly Ended[],
  met: readonly Happened[],
): { readonly away: readonly string[]; readonly wrong: readonly Anomaly[] } {
  const wasAway = ({ kind, replica, time }: Ended): boolean => {
    const at = Date.parse(time);
    return (
      kind === 'away' && met.some((one) => isFeltBy(one, replica) && at >= one.from && at <= one.until + FELT_FOR_MS)
    );
  };
  return {
    away: ended.filter(wasAway).map(nameOf),
    wrong: ended
      .filter((end) => !wasAway(end))
      .map((end): Anomaly => ({
        kind: end.kind === 'stuck' ? 'stuck' : 'crashed',
        what: end.kind === 'away' ? `${nameOf(end)}, and nothing was away` : nameOf(end),
      })),
  };
}

import type { Interruptions } from '../check/observed.js';
import { CLAIMED_FOR_S } from '../observe/mails.js';
import { REPLICAS, type Service } from '../plan/faults.js';
import type { Happened } from './nemesis.js';

/** A process that stands still for longer takes a notice for unanswered: the deadline of a send in its mail worker. */
export const GIVES_UP_AFTER_MS = 50_000;

const isOfDatabase = ({ fault }: Happened): boolean =>
  fault.kind === 'database-restart' || fault.kind === 'backends-terminated';

/**
 * How often the processes of a service were interrupted.
 * @param met by all that befell somebody, also where it did not come to pass as it was meant to
 * @param lookedAt when it was begun to look at mails, in ms since the epoch
 */
export function interruptionsOf(
  met: readonly Happened[],
  ownEnds: readonly string[],
  service: Service,
  lookedAt: number,
): Interruptions {
  const own = met.filter(({ replica }) => replica?.startsWith(service) === true);
  const faults = own.map(({ fault }) => fault);
  const count = (is: (fault: Happened['fault']) => boolean): number => faults.filter(is).length;
  const kills = count((fault) => fault.kind === 'at-point' && fault.action.startsWith('kill'));
  const asked = count(({ kind }) => kind === 'asked-to-end');
  const stoodStill = count(
    (fault) => fault.kind === 'at-point' && fault.action === 'pause' && fault.ms > GIVES_UP_AFTER_MS,
  );
  const ends = ownEnds.filter((end) => end.startsWith(service)).length;
  const byThemselves = stoodStill + ends;
  // Whoever claims mails and does not hear so, for its database or the way to it breaks, has claimed them all the same.
  const forgotSince = (since: number): number => {
    const lately = ({ until }: Happened): boolean => until >= since;
    return ends + own.filter(lately).length + REPLICAS * met.filter(isOfDatabase).filter(lately).length;
  };
  return {
    left: kills + byThemselves,
    cutOff: asked + byThemselves,
    forgot: forgotSince(0),
    forgotLately: forgotSince(lookedAt - CLAIMED_FOR_S * 1_000),
  };
}

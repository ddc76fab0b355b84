import type { Interruptions } from '../check/observed.js';
import type { Service } from '../plan/faults.js';
import type { Happened } from './nemesis.js';

/** A process that stands still for longer takes a notice for unanswered: the deadline of a send in its mail worker. */
export const GIVES_UP_AFTER_MS = 50_000;

/** How often the processes of a service were interrupted. */
export function interruptionsOf(
  happened: readonly Happened[],
  ownEnds: readonly string[],
  service: Service,
): Interruptions {
  const faults = happened.flatMap(({ fault, replica }) => (replica?.startsWith(service) === true ? [fault] : []));
  const count = (is: (fault: Happened['fault']) => boolean): number => faults.filter(is).length;
  const kills = count((fault) => fault.kind === 'at-point' && fault.action.startsWith('kill'));
  const asked = count(({ kind }) => kind === 'asked-to-end');
  const stoodStill = count(
    (fault) => fault.kind === 'at-point' && fault.action === 'pause' && fault.ms > GIVES_UP_AFTER_MS,
  );
  const byThemselves = stoodStill + ownEnds.filter((end) => end.startsWith(service)).length;
  return { left: kills + byThemselves, cutOff: asked + byThemselves };
}

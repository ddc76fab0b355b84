import { refused, type Result } from '@castiron/failures';
import type { Agreement } from './agreement.table.js';

type State = Agreement['state'];

/** Where an agreement can go from each state. `terminated` is an end state: a new agreement is drafted instead. */
const TRANSITIONS: Readonly<Record<State, readonly State[]>> = {
  drafted: ['in-force'],
  'in-force': ['terminated'],
  terminated: [],
};

/** The refusal of a step that the agreement's state does not allow; it names the steps that it does. */
export function notFrom(state: State, detail: string): Result<never> {
  const allowed = TRANSITIONS[state];
  const next = allowed.length === 0 ? 'no other state' : allowed.join(', ');
  return refused({
    kind: 'conflict',
    code: `agreement-${state}`,
    detail: `${detail} It is ${state}; from there it can become: ${next}.`,
    field: 'agreement',
    promise: 'P8',
    state,
    allowed,
  });
}

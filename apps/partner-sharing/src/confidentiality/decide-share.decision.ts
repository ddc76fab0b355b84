import type { Decision } from './decision.js';
import type { Facts } from './facts.js';

/** Decides what one recipient may hold about one customer now; deny by default (P8). */
export function decideShare(facts: Facts, now: Date): Decision {
  void facts;
  void now;
  return { attributes: {}, refusals: [] };
}

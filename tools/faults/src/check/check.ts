import { checkEffects } from './effects.check.js';
import { checkFeeds } from './feeds.check.js';
import type { Anomaly, Observed } from './observed.js';
import { checkProfiles } from './profiles.check.js';
import { checkTopics } from './topics.check.js';

/** All that is wrong with a run; empty where every promise was kept. Pure. */
export function check(observed: Observed): Anomaly[] {
  return [
    ...checkTopics(observed),
    ...checkEffects(observed),
    ...checkFeeds(observed),
    ...checkProfiles(observed),
    ...observed.unsettled.map((what): Anomaly => ({ kind: 'stuck', what })),
  ];
}

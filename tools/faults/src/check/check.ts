import { checkAcknowledged } from './acknowledged.check.js';
import { checkCancellations } from './cancellations.check.js';
import { checkEffects } from './effects.check.js';
import { checkFeeds } from './feeds.check.js';
import { checkFence } from './fence.check.js';
import { checkLedger } from './ledger.check.js';
import { checkMails } from './mails.check.js';
import type { Anomaly, Observed } from './observed.js';
import { checkOutboxes } from './outbox.check.js';
import { checkPermissions } from './permissions.check.js';
import { checkProfiles } from './profiles.check.js';
import { checkPurposes } from './purposes.check.js';
import { checkAnswers, checkRefusals } from './refusals.check.js';
import { placed } from './registrations.js';
import { checkTerminations } from './terminations.check.js';
import { checkTold } from './told.check.js';
import { checkTopics } from './topics.check.js';

/** What is missing from records that were not read to their end may stand behind it: that is not known to be lost. */
const heldBackIn = ({ cutShort }: Observed, { kind, what }: Anomaly): Anomaly => ({
  kind: cutShort.size > 0 && kind === 'lost' ? 'stuck' : kind,
  what,
});

/** All that is wrong with a run; empty where every promise was kept. Pure. */
export function check(seen: Observed): Anomaly[] {
  const observed = { ...seen, operations: placed(seen) };
  const found = [
    ...checkOutboxes(observed),
    ...checkTopics(observed),
    ...checkAcknowledged(observed),
    ...checkRefusals(observed),
    ...checkAnswers(observed),
    ...checkPermissions(observed),
    ...checkEffects(observed),
    ...checkFeeds(observed),
    ...checkPurposes(observed),
    ...checkFence(observed),
    ...checkLedger(observed),
    ...checkTold(observed),
    ...checkMails(observed),
    ...checkTerminations(observed),
    ...checkCancellations(observed),
    ...checkProfiles(observed),
    ...observed.unsettled.map((what): Anomaly => ({ kind: 'stuck', what })),
  ];
  return found.map((anomaly) => heldBackIn(observed, anomaly));
}

import { ATTRIBUTES, rankOf } from '@castiron/contracts';
import { defineClause } from '../clause.js';

/** P7: data is protected by its tier; an agreement names the highest that may go. Inside the house no cap applies. */
export const noTierAboveTheAgreement = defineClause({
  name: 'p07-no-tier-above-the-agreement',
  promise: 'P7',
  says: 'Data goes only up to the tier of confidentiality that the agreement names.',
  refusal({ facts, attribute }) {
    // Without an agreement there is no cap to exceed: that one is missing is another clause's refusal.
    if (facts.recipient.kind === 'internal' || facts.agreement === null) return undefined;
    const { tier } = ATTRIBUTES[attribute];
    const { highestTier } = facts.agreement;
    if (rankOf(tier) <= rankOf(highestTier)) return undefined;
    return `${attribute} is ${tier}, and the agreement ends at ${highestTier}`;
  },
});

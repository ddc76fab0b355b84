import { DOORS, type PurposeName } from '@castiron/contracts';
import { defineClause } from '../clause.js';

/**
 * P12: what came in through a door is used for that door's purposes only. Both must name the purpose: the door, and
 * the purposes this customer's data was taken in for.
 */
export const onlyForPurposesOfTheDoor = defineClause({
  name: 'p12-only-for-purposes-of-the-door',
  promise: 'P12',
  says: 'Without a permission, data serves only the purposes it was given for.',
  refusal({ facts, purpose }) {
    const { door, purposes } = facts.customer;
    const ofTheDoor: readonly PurposeName[] = DOORS[door];
    return ofTheDoor.includes(purpose) && purposes.includes(purpose)
      ? undefined
      : `the customer’s data came in by ${door}, and not for ${purpose}`;
  },
});

import { defineClause } from '../clause.js';

/** P2: recommending further services is off unless permitted: no other ground carries it, not even inside the house. */
export const recommendationOnlyWhenPermitted = defineClause({
  name: 'p02-recommendation-only-when-permitted',
  promise: 'P2',
  says: 'Recommending further services rests on nothing but the customer’s permission.',
  refusal({ purpose }) {
    return purpose === 'recommendation' ? 'recommendation needs the permission of the customer' : undefined;
  },
});

import { defineClause } from '../clause.js';

/** P1: what is voluntary may be absent or withdrawn at any time, and what is not held cannot go anywhere. */
export const onlyWhatTheCustomerGave = defineClause({
  name: 'p01-only-what-the-customer-gave',
  promise: 'P1',
  says: 'Data goes only as long as the customer lets us hold it.',
  refusal({ facts, attribute }) {
    return facts.customer.held.includes(attribute)
      ? undefined
      : `the customer has not given ${attribute}, or has withdrawn it`;
  },
});

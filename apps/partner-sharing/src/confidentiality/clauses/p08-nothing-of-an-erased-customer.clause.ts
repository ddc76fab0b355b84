import { defineClause } from '../clause.js';

/** P8: erasure ends every permission and every other ground at once, whatever else the facts still say. */
export const nothingOfAnErasedCustomer = defineClause({
  name: 'p08-nothing-of-an-erased-customer',
  promise: 'P8',
  says: 'The customer is not erased.',
  refusal({ facts }) {
    return facts.customer.erased ? 'the customer is erased' : undefined;
  },
});

import { defineClause } from '../clause.js';

/** P16: mail about products and events stops with one request, so that nothing but a permission carries it. */
export const mailOnlyWhenPermitted = defineClause({
  name: 'p16-mail-only-when-permitted',
  promise: 'P16',
  says: 'Mail about products and events rests on nothing but the customer’s permission.',
  refusal({ purpose }) {
    return purpose === 'mailing' ? 'mailing needs the permission of the customer' : undefined;
  },
});

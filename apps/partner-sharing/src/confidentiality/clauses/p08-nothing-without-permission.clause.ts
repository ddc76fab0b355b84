import { defineClause } from '../clause.js';

/** P8: nothing is used or disclosed without permission; silence is none, and a revoked one is none. */
export const nothingWithoutPermission = defineClause({
  name: 'p08-nothing-without-permission',
  promise: 'P8',
  says: 'The customer permitted this recipient this purpose.',
  refusal({ facts, purpose }) {
    const { slug } = facts.recipient;
    const permission = facts.permissions[purpose];
    if (permission === 'granted') return undefined;
    return permission === 'revoked'
      ? `the customer revoked the permission for ${slug} to use data for ${purpose}`
      : `the customer has not permitted ${slug} to use data for ${purpose}`;
  },
});

import { defineClause } from '../clause.js';

/** P4: it is the network of small companies that receives what it needs to render services. */
export const cooperationOnlyInsideTheNetwork = defineClause({
  name: 'p04-cooperation-only-inside-the-network',
  promise: 'P4',
  says: 'Only members of the network cooperate in rendering services.',
  refusal({ facts }) {
    const { slug, kind } = facts.recipient;
    return kind === 'network-member' ? undefined : `${slug} is no member of the network`;
  },
});

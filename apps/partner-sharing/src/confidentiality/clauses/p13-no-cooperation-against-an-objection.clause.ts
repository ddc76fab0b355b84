import { defineClause } from '../clause.js';

/**
 * P13: who objects to cooperation is not transferred by it. Revoking a permission is such an objection too, or the
 * data would go on flowing on the other ground.
 */
export const noCooperationAgainstAnObjection = defineClause({
  name: 'p13-no-cooperation-against-an-objection',
  promise: 'P13',
  says: 'The customer has not objected to the cooperation.',
  refusal({ facts, purpose }) {
    const { slug } = facts.recipient;
    if (facts.objections.includes(purpose)) return `the customer objected to cooperation with ${slug} for ${purpose}`;
    if (facts.permissions[purpose] === 'revoked') {
      return `the customer revoked the permission for ${slug} and ${purpose}, which is an objection to cooperation too`;
    }
    return undefined;
  },
});

import { defineClause } from '../clause.js';

/** P13: transfer for cooperation is what both sides signed as such; what they signed for permission stays at that. */
export const cooperationOnlyAsAgreed = defineClause({
  name: 'p13-cooperation-only-as-agreed',
  promise: 'P13',
  says: 'The agreement lists the data for the purpose as cooperation.',
  refusal({ facts: { recipient, agreement }, attribute, purpose }) {
    const agreed = agreement?.purposes.some(
      (one) => one.purpose === purpose && one.ground === 'cooperation' && one.attributes.includes(attribute),
    );
    return agreed === true
      ? undefined
      : `no agreement with ${recipient.slug} lists ${attribute} for ${purpose} as cooperation`;
  },
});

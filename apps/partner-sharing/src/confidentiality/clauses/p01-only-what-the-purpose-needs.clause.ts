import { attributesOf } from '@castiron/contracts';
import { defineClause } from '../clause.js';

/** P1: data is asked for a purpose, so it serves a purpose only where the catalogue has it among what that needs. */
export const onlyWhatThePurposeNeeds = defineClause({
  name: 'p01-only-what-the-purpose-needs',
  promise: 'P1',
  says: 'Data goes only for a purpose that needs it.',
  refusal({ attribute, purpose }) {
    return attributesOf(purpose).includes(attribute) ? undefined : `${purpose} does not need ${attribute}`;
  },
});

import { defineClause } from '../clause.js';

/** P10: the list of grounds is closed, and the company's own purpose is a ground for its own services alone. */
export const ownPurposesOnlyInsideTheHouse = defineClause({
  name: 'p10-own-purposes-only-inside-the-house',
  promise: 'P10',
  says: 'Only services of the house act for the company’s own purposes.',
  refusal({ facts }) {
    const { slug, kind } = facts.recipient;
    return kind === 'internal' ? undefined : `${slug} is no service of the house`;
  },
});

import { defineClause } from '../clause.js';

/** P8 says "used or disclosed": a service of the house too gets only what it is registered for, purpose by purpose. */
export const onlyWhatTheRegistrationLists = defineClause({
  name: 'p08-only-what-the-registration-lists',
  promise: 'P8',
  says: 'Services of the house use data only for purposes they are registered for.',
  refusal({ facts: { recipient }, attribute, purpose }) {
    if (recipient.kind !== 'internal') return undefined;
    const listed = recipient.registeredPurposes.filter((one) => one.purpose === purpose);
    if (listed.some((one) => one.attributes.includes(attribute))) return undefined;
    return listed.length === 0
      ? `${recipient.slug} is not registered for ${purpose}`
      : `${recipient.slug} is not registered to use ${attribute} for ${purpose}`;
  },
});

import { defineClause } from '../clause.js';

/** P8: a company gets what its agreement lists, purpose by purpose, and nothing besides. */
export const onlyWhatTheAgreementLists = defineClause({
  name: 'p08-only-what-the-agreement-lists',
  promise: 'P8',
  says: 'The agreement lists the data for the purpose.',
  refusal({ facts: { recipient, agreement }, attribute, purpose }) {
    if (recipient.kind === 'internal') return undefined;
    const listed = agreement?.purposes.filter((one) => one.purpose === purpose) ?? [];
    if (listed.some((one) => one.attributes.includes(attribute))) return undefined;
    return listed.length === 0
      ? `no agreement with ${recipient.slug} lists ${purpose}`
      : `the agreement with ${recipient.slug} does not list ${attribute} for ${purpose}`;
  },
});

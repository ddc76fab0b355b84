import { defineClause } from '../clause.js';

/** P8: only companies that agreed to the Agreement of confidentiality get data, while it is in force. */
export const onlyToCompaniesThatAgreed = defineClause({
  name: 'p08-only-to-companies-that-agreed',
  promise: 'P8',
  says: 'The recipient is bound by an agreement of confidentiality in force, or is a service of the house.',
  refusal({ facts: { recipient, agreement }, now }) {
    if (recipient.kind === 'internal') return undefined;
    if (agreement === null) return `${recipient.slug} has no agreement of confidentiality`;
    if (agreement.state === 'drafted') return `the agreement with ${recipient.slug} is not signed by both sides`;
    if (agreement.state === 'terminated') return `the agreement with ${recipient.slug} is terminated`;
    // Judged by the clock, not by the state alone: whoever ends agreements may come late.
    // Asked so that a broken date refuses too.
    if (!(now >= agreement.from)) return `the agreement with ${recipient.slug} has not begun`;
    if (agreement.until !== null && !(now < agreement.until)) return `the agreement with ${recipient.slug} has expired`;
    return undefined;
  },
});

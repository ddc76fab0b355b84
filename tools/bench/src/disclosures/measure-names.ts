/** What is measured of disclosures, each by itself, in this order. Apart from the measures, which the help does not load. */
export const DISCLOSURE_MEASURES = ['records', 'growth', 'ledger', 'fence'] as const;

export type DisclosureMeasure = (typeof DISCLOSURE_MEASURES)[number];

import { duties, sharingAgreements, sharingDisclosures, sharingPermissions } from '@castiron/contracts';
import { outboxKey } from '@castiron/transactions';

/** What this service publishes through its outbox, and the order each keeps: a permission's changes in order. */
export const orderOfPermission = (customer: string, recipient: string, purpose: string): string =>
  outboxKey(sharingPermissions.name, `${customer}/${recipient}/${purpose}`);

export const orderOfAgreement = (agreement: string): string => outboxKey(sharingAgreements.name, agreement);

/** Disclosures are keyed by recipient: one publisher announces them, so that releases do not wait for each other here. */
export const orderOfDisclosures = (recipient: string): string => outboxKey(sharingDisclosures.name, recipient);

/** Duties are in order per subject, agreement notices per agreement. */
export const orderOfDuties = (recipient: string, key: string): string => outboxKey(duties.of(recipient).name, key);

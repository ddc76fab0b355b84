import {
  agreementChanged,
  agreementNotice,
  disclosureRecorded,
  duties,
  noticeDue,
  permissionChanged,
  sharingAgreements,
  sharingDisclosures,
  sharingPermissions,
  withdrawalDue,
} from '@castiron/contracts';
import { outboxKey } from '@castiron/transactions';

/** All that this service publishes through its outbox. Records of feeds and the lanes' journal go by the lanes instead. */
export const publications = {
  permissionChanged,
  agreementChanged,
  disclosureRecorded,
  withdrawalDue,
  agreementNotice,
  noticeDue,
} as const;

export const orderOfPermission = (customer: string, recipient: string, purpose: string): string =>
  outboxKey(sharingPermissions.name, `${customer}/${recipient}/${purpose}`);

export const orderOfAgreement = (agreement: string): string => outboxKey(sharingAgreements.name, agreement);

/** Disclosures are keyed by recipient: one publisher announces them, so that releases do not wait for each other here. */
export const orderOfDisclosures = (recipient: string): string => outboxKey(sharingDisclosures.name, recipient);

/** Duties are in order per subject, agreement notices per agreement. */
export const orderOfDuties = (recipient: string, key: string): string => outboxKey(duties.of(recipient).name, key);

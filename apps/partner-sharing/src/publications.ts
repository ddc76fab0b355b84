import {
  agreementChanged,
  agreementNotice,
  checkpointSigned,
  disclosureRecorded,
  duties,
  fenceStood,
  noticeDue,
  objectionChanged,
  permissionChanged,
  sharingAgreements,
  sharingCheckpoints,
  sharingDisclosures,
  sharingPermissions,
  withdrawalDue,
} from '@castiron/contracts';
import { outboxKey } from '@castiron/transactions';

/** All that this service may publish through its outbox; feeds and lanes are written by the release step alone. */
export const publications = {
  permissionChanged,
  objectionChanged,
  fenceStood,
  agreementChanged,
  agreementNotice,
  noticeDue,
  withdrawalDue,
  disclosureRecorded,
  checkpointSigned,
} as const;

/** A permission's changes are in order. */
export const orderOfPermission = (customer: string, recipient: string, purpose: string): string =>
  outboxKey(sharingPermissions.name, `${customer}/${recipient}/${purpose}`);

/** An objection's changes are in order. */
export const orderOfObjection = (customer: string, recipient: string, purpose: string): string =>
  outboxKey(sharingPermissions.name, `${customer}/${recipient}/${purpose}/objection`);

/** What a customer took away is told in order. */
export const orderOfFences = (customer: string): string => outboxKey(sharingPermissions.name, `${customer}/fence`);

export const orderOfAgreement = (agreement: string): string => outboxKey(sharingAgreements.name, agreement);

/** Disclosures are keyed by recipient: one publisher announces them, so that releases do not wait for each other here. */
export const orderOfDisclosures = (recipient: string): string => outboxKey(sharingDisclosures.name, recipient);

/** All heads of a log are in order. */
export const orderOfCheckpoints = (origin: string): string => outboxKey(sharingCheckpoints.name, origin);

/** Duties are in order per subject, agreement notices per agreement. */
export const orderOfDuties = (recipient: string, key: string): string => outboxKey(duties.of(recipient).name, key);

import { mailingCancelled, topicOf, withdrawalConfirmed } from '@castiron/contracts';
import { outboxKey } from '@castiron/transactions';

/** This service as a recipient. */
export const SLUG = 'notifications';

/** All that this service may publish; each goes through the outbox, with the change it tells of. */
export const publications = { mailingCancelled, withdrawalConfirmed } as const;

/** What every transaction about a subject holds: records, duties and cancellations of one subject go one by one. */
export const orderOfSubject = (subject: string): string => outboxKey(topicOf(withdrawalConfirmed, SLUG).name, subject);

export const orderOfCancellation = (subject: string): string => outboxKey(topicOf(mailingCancelled).name, subject);

import { customersErasures } from './customers/customer-erased.event.js';
import { customersProfiles } from './customers/profile-changed.event.js';
import { customersStatements } from './customers/statement-published.event.js';
import { notificationsMailings } from './notifications/mailing-cancelled.event.js';
import { duties } from './recipients/duties.events.js';
import { feeds } from './recipients/feed-record.event.js';
import { replies } from './recipients/replies.events.js';
import { sharingAgreements } from './sharing/agreement-changed.event.js';
import { sharingCheckpoints } from './sharing/checkpoint-signed.event.js';
import { sharingDisclosures } from './sharing/disclosure-recorded.event.js';
import { sharingPermissions } from './sharing/permission-changed.event.js';
import type { Topic } from './topic.js';

/** Every topic that exists once; those of recipients are made when a recipient registers. */
export const TOPICS: readonly Topic[] = [
  customersProfiles,
  customersErasures,
  customersStatements,
  sharingPermissions,
  sharingAgreements,
  sharingDisclosures,
  sharingCheckpoints,
  notificationsMailings,
];

/** The three topics of one recipient: its feed and duties to read, its replies to write. */
export function topicsOfRecipient(slug: string): { feed: Topic; duties: Topic; replies: Topic } {
  return { feed: feeds.of(slug), duties: duties.of(slug), replies: replies.of(slug) };
}

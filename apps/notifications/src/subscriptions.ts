import { agreementNotice, duties, feedRecord, feeds, noticeDue, withdrawalDue } from '@castiron/contracts';
import { subscribe, type Subscription } from '@castiron/inbox';
import { withdrawnSince } from './notices/withdrawn-since.js';
import { writeMailWhenNoticeDue } from './notices/write-mail-when-notice-due.handler.js';
import { orderOfSubject, SLUG } from './publications.js';
import { forgetWhenWithdrawalDue } from './subjects/forget-when-withdrawal-due.handler.js';
import { keepSubjectsWhenFeedChanged } from './subjects/keep-subject-when-feed-changed.handler.js';
import type { SubjectVault } from './subjects/subject-vault.js';

/** All that this service reads of customers: its own feed and its own duties. */
export const TOPICS_READ = [feeds.of(SLUG).name, duties.of(SLUG).name];

/** Duties of partners, passed over on purpose: inside the house there is no agreement. */
export const IGNORED = [agreementNotice];

/** Which event goes to which handler. */
export function subscriptions(vault: SubjectVault, wakeMail: () => void): readonly Subscription[] {
  return [
    subscribe(feedRecord, {
      keys: (event) => [orderOfSubject(event.key)],
      handle: (event, tx) => keepSubjectsWhenFeedChanged(vault, wakeMail, [event], tx),
      handleBatch: (events, tx) => keepSubjectsWhenFeedChanged(vault, wakeMail, events, tx),
    }),
    subscribe(withdrawalDue, {
      keys: (event) => [orderOfSubject(event.key)],
      // A notice that could not be handled must not keep data that is to be deleted.
      overtakes: true,
      handle: (event, tx) => forgetWhenWithdrawalDue(vault, () => new Date(), event, tx),
    }),
    subscribe(noticeDue, {
      keys: (event) => [orderOfSubject(event.key)],
      handle: (event, tx) => writeMailWhenNoticeDue(wakeMail, event, tx),
      illegitimate: (event, tx) => withdrawnSince(vault, event, tx),
    }),
  ];
}

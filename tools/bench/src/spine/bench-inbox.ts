import { Inbox, type InboxOptions } from '@castiron/inbox';
import { silent } from './database.js';

/** Nothing is parked in a bench. */
const openSeal: InboxOptions['seal'] = {
  seal: (bytes) => bytes,
  open: (bytes) => bytes,
  hash: (value) => value,
};

type Own = Pick<
  InboxOptions,
  'name' | 'dataSource' | 'transactions' | 'kafka' | 'topics' | 'subscriptions' | 'room' | 'metrics'
>;

/** An inbox as `runService` puts it together, but that a crash of it ends the run. */
export const benchInbox = (own: Own): Inbox =>
  new Inbox({
    ...own,
    seal: openSeal,
    logger: silent,
    onCrash: (error) => {
      throw error;
    },
  });

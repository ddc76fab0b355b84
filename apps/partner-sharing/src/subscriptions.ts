import {
  customerErased,
  customersErasures,
  customersProfiles,
  customersStatements,
  mailingCancelled,
  notificationsMailings,
  profileChanged,
  replies,
  resyncRequested,
  statementPublished,
  withdrawalConfirmed,
} from '@castiron/contracts';
import { subscribe, type Subscription } from '@castiron/inbox';
import { revokeMailingWhenMailingCancelled } from './mailings/revoke-mailing-when-mailing-cancelled.handler.js';
import { eraseWhenCustomerErased } from './profiles/keep-profiles/erase-when-customer-erased.handler.js';
import {
  keysOfProfile,
  type KeepProfileWhenProfileChanged,
} from './profiles/keep-profiles/keep-profile-when-profile-changed.handler.js';
import type { ReleaseSignals } from './release/release-signals.js';
import { resyncWhenRequested } from './replies/resync-when-requested.handler.js';
import { settleWithdrawalWhenConfirmed } from './replies/settle-withdrawal-when-confirmed.handler.js';
import { keepStatementWhenStatementPublished } from './statements/keep-statements/keep-statement-when-statement-published.handler.js';

export const TOPICS_READ = [
  customersProfiles.name,
  customersErasures.name,
  customersStatements.name,
  notificationsMailings.name,
] as const;

/** The replies of a recipient are read from its registration on, and after its agreement ended too. */
export const repliesOf = (slug: string): string => replies.of(slug).name;

/** Which event goes to which handler. */
export function subscriptions(
  keepProfile: KeepProfileWhenProfileChanged,
  signals: ReleaseSignals,
  forgetKeys: (customer: string) => void,
): readonly Subscription[] {
  const revokeMailing = revokeMailingWhenMailingCancelled(signals);
  const erase = eraseWhenCustomerErased(signals, forgetKeys);
  return [
    subscribe(profileChanged, {
      keys: keysOfProfile,
      handle: (event, tx) => keepProfile.handle([event], tx),
      handleBatch: (events, tx) => keepProfile.handle(events, tx),
    }),
    subscribe(customerErased, {
      handle: (event, tx) => erase([event], tx),
      handleBatch: erase,
      overtakes: true,
    }),
    subscribe(statementPublished, { handle: keepStatementWhenStatementPublished }),
    subscribe(mailingCancelled, {
      handle: (event, tx) => revokeMailing([event], tx),
      handleBatch: revokeMailing,
      overtakes: true,
    }),
    subscribe(withdrawalConfirmed, { handle: settleWithdrawalWhenConfirmed(signals), overtakes: true }),
    // Its order among other replies means nothing.
    subscribe(resyncRequested, { handle: resyncWhenRequested(signals), overtakes: true }),
  ];
}

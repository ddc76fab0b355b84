import type { profileChanged, ReceivedEvent } from '@castiron/contracts';
import type { Tx } from '@castiron/transactions';
import { addReported } from '../../commands/command.table.js';
import { lockEpochs } from '../../epochs/epoch-locks.js';
import { lockAudience } from '../../recipients/recipient.table.js';
import type { ReleaseSignals } from '../../release/release-signals.js';
import { makePendingOfCustomers, makeShares } from '../../shares/make-shares.js';
import { concerns, standingRecipients } from '../audience.js';
import { mailsArePossible, orderOfSubscription, recordSubscription } from '../subscription.js';
import { storeProfiles, type Profile, type StoredAs } from './customer.table.js';
import { dropProfiles } from './drop-profiles.js';

type Event = ReceivedEvent<typeof profileChanged>;

/** The permission that a subscriber's first profile may record. */
export function keysOfProfile({ data }: Event): readonly string[] {
  return data?.door === 'subscription' ? [orderOfSubscription(data.customer)] : [];
}

/** Keeps a copy of each profile, sealed as it came, and has the shares that it concerns published. */
export class KeepProfileWhenProfileChanged {
  constructor(
    private readonly signals: ReleaseSignals,
    /** Drops a deleted customer's keys at once. */
    private readonly forgetKeys: (customer: string) => void,
  ) {}

  /** A run of events of the topic; of each customer only the last one matters, for it says everything. */
  async handle(events: readonly Event[], tx: Tx): Promise<void> {
    const last = new Map(events.map((event) => [event.key, event]));
    const profiles = [...last.values()].flatMap(({ data }) => data ?? []);
    const deleted = [...last.values()].flatMap(({ key, data }) => (data === null ? [key] : []));
    await lockAudience(tx.manager, 'shared');
    // Sorted, and before anything is written: a release that is deciding about one of them ends first.
    await lockEpochs(tx.manager, 'customer', last.keys());
    await this.keep(tx, profiles);
    await this.drop(tx, deleted);
    tx.afterCommit(() => this.signals.tell('pending'));
  }

  private async keep(tx: Tx, profiles: readonly Profile[]): Promise<void> {
    if (profiles.length === 0) return;
    const stored = await storeProfiles(tx.manager, profiles);
    const are = (state: StoredAs) => profiles.filter(({ customer }) => stored.get(customer) === state);
    await this.welcome(tx, are('new'));
    const changed = [...are('new'), ...are('newer')].map(({ customer }) => customer);
    await makePendingOfCustomers(tx.manager, changed, 'profile-changed');
    // Also of a profile that is known: nothing newer than it is told again.
    const withdrawals = profiles.flatMap(({ customer, withdrawal }) =>
      withdrawal === undefined ? [] : [{ id: withdrawal, customer }],
    );
    await addReported(tx.manager, 'withdrawal', withdrawals);
  }

  /** Makes the shares of new customers that need no permission, and records what subscribing permits. */
  private async welcome(tx: Tx, profiles: readonly Profile[]): Promise<void> {
    if (profiles.length === 0) return;
    const standing = await standingRecipients(tx.manager);
    await makeShares(
      tx.manager,
      profiles.flatMap((profile) =>
        standing
          .filter((recipient) => concerns(recipient, profile))
          .map(({ slug }) => ({ customer: profile.customer, recipient: slug })),
      ),
    );
    const subscribers = profiles.filter(({ door }) => door === 'subscription');
    if (subscribers.length === 0 || !(await mailsArePossible(tx))) return;
    for (const { customer, registeredAt, statementVersion } of subscribers) {
      await recordSubscription(tx, { customer, registeredAt: new Date(registeredAt), statementVersion });
    }
  }

  private async drop(tx: Tx, customers: readonly string[]): Promise<void> {
    if (customers.length === 0) return;
    await dropProfiles(tx, customers);
    tx.afterCommit(() => customers.forEach((customer) => this.forgetKeys(customer)));
  }
}

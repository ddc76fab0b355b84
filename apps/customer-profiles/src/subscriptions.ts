import type { Subscription } from '@castiron/inbox';

/** Which event goes to which handler. None yet: nothing that others publish changes what a customer gave. */
export const subscriptions: readonly Subscription[] = [];

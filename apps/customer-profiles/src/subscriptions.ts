import { fenceStood, objectionChanged, permissionChanged, type EventContract } from '@castiron/contracts';
import { subscribe, type Subscription } from '@castiron/inbox';
import { noteFenceWhenFenceStood } from './commands/note-fence-when-fence-stood.handler.js';

/** Which event goes to which handler. Nothing that others publish changes what a customer gave. */
export const subscriptions: readonly Subscription[] = [subscribe(fenceStood, { handle: noteFenceWhenFenceStood })];

/** Of the same topic: what a customer permits is not for this service to know. */
export const IGNORED: readonly EventContract[] = [permissionChanged, objectionChanged];

export * from './subscription.js';
export * from './inbox.js';
export * from './migrations.js';
export type { Seal } from './parked-messages.js';
export type { RetryOutcome } from './retry-parked.js';

export * from './subscription.js';
export * from './inbox.js';
export * from './migrations.js';
export { Parked, type Discard, type ParkedMessage } from './parked.js';
export type { Seal } from './parked-messages.js';
export type { ActionRecord } from './parked-actions.js';
export type { Cause, ParkedRow, ParkedState, Selection } from './parked-rows.js';
export type { Replay, Replayed } from './replay.js';

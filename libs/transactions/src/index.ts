export * from './transaction.js';
export * from './hash-bits.js';
export * from './outbox-key.js';
export * from './transactions.js';
export { MoreKeysNeeded } from './more-keys-needed.js';

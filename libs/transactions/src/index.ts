export * from './transaction.js';
export * from './outbox-key.js';
export * from './transactions.js';

export * from './subscription.js';
export * from './inbox.js';
export * from './migrations.js';

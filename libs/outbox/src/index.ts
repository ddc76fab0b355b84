export * from './append.js';
export * from './migrations.js';
export * from './relay.js';

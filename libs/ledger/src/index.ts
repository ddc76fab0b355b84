export * from './leaf.js';
export * from './entry.js';
export * from './opening.js';

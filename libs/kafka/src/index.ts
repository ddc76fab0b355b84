export * from './types.js';
export * from './connect.js';
export * from './read.js';

export * from './types.js';
export * from './connect.js';
export * from './read.js';
export { transactionsUnderWay } from './transactions-under-way.js';

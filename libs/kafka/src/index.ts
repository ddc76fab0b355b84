export * from './types.js';
export * from './connect.js';
export * from './read.js';
export { SEND_DEADLINE_MS } from './producer.js';
export { TRANSACTION_TIMEOUT_MS } from './transactional-producer.js';

export * from './types.js';
export * from './connect.js';
export * from './read.js';
export { sendDeadlineOf } from './producer.js';
export { TRANSACTION_TIMEOUT_MS } from './transactional-producer.js';
export { highWatermarks } from './high-watermarks.js';

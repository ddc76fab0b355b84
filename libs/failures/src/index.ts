export * from './refusal.js';
export * from './delivery.js';
export * from './passing.js';
export * from './growing-pause.js';
export * from './problem.js';

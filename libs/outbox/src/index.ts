export * from './append.js';
export { HeardClient } from './heard-client.js';
export * from './migrations.js';
export { OwnTopics, type OwnRecord, type Mark } from './own-topics.js';
export { OutboxRoom } from './outbox-room.js';
export { refusePooler } from './refuse-pooler.js';
export * from './relay.js';

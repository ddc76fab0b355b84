import { createRequire } from 'node:module';

/** As much of kafkajs's as is used here. */
interface Batch {
  /** All that came, also what nobody is given. */
  readonly rawMessages: readonly unknown[];
}

const require = createRequire(import.meta.url);
const ConsumerGroup = require('kafkajs/src/consumer/consumerGroup.js') as {
  prototype: { fetch: (this: unknown, nodeId: number) => Promise<Batch[]> };
};

const { fetch } = ConsumerGroup.prototype;
/**
 * kafkajs 2.2.4 hands on a batch for each partition that it asked for, with nothing in most of them. Each goes through its queue
 * and to its workers, and the table of partitions at work, which is old, is made anew as it fills and empties: at a steady rate
 * most of what a reader leaves in the old heap (ADR 0036).
 */
ConsumerGroup.prototype.fetch = async function (nodeId) {
  const batches = await fetch.call(this, nodeId);
  return batches.filter(({ rawMessages }) => rawMessages.length > 0);
};

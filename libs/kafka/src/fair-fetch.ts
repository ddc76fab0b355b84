import { createRequire } from 'node:module';

interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}
const SubscriptionState = createRequire(import.meta.url)('kafkajs/src/consumer/subscriptionState.js') as {
  prototype: { assigned: (this: object) => TopicPartitions[] };
};

/** The same, from another one on. */
function turned<T>(all: readonly T[], by: number): T[] {
  const first = all.length === 0 ? 0 : by % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

/**
 * A broker fills its answer in the order in which partitions are asked for, up to a size (KIP-74). kafkajs 2.2.4 asks in the
 * same order each time, so that those with much to read keep all others waiting. Here another topic is the first each time,
 * and of a topic in the end each partition.
 */
const asked = new WeakMap<object, number>();
const { assigned } = SubscriptionState.prototype;
SubscriptionState.prototype.assigned = function () {
  const times = asked.get(this) ?? 0;
  asked.set(this, times + 1);
  const topics = assigned.call(this);
  const rounds = Math.floor(times / Math.max(1, topics.length));
  return turned(topics, times).map(({ topic, partitions }) => ({ topic, partitions: turned(partitions, rounds) }));
};

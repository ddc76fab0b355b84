import type { WireMessage } from '@castiron/contracts';
import type { TopicMessages } from 'kafkajs';

/** Messages by topic, their order within a topic kept. */
export function groupByTopic(messages: readonly WireMessage[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages>();
  for (const { topic, key, value, headers, partition } of messages) {
    let group = topics.get(topic);
    if (group === undefined) topics.set(topic, (group = { topic, messages: [] }));
    group.messages.push({ key, value, headers, ...(partition !== undefined && { partition }) });
  }
  return [...topics.values()];
}

import type { WireMessage } from '@castiron/contracts';
import type { Message, TopicMessages } from 'kafkajs';
import { EncodedRecord } from './record-encoder.js';
import type { Sendable } from './types.js';

function messageOf(given: Sendable): Message {
  if (given instanceof EncodedRecord) return given;
  const { key, value, headers, partition } = given as WireMessage;
  return { key, value, headers, ...(partition !== undefined && { partition }) };
}

/** Messages by topic, their order within a topic kept. */
export function groupByTopic(messages: readonly Sendable[]): TopicMessages[] {
  const topics = new Map<string, TopicMessages>();
  for (const message of messages) {
    const { topic } = message;
    let group = topics.get(topic);
    if (group === undefined) topics.set(topic, (group = { topic, messages: [] }));
    group.messages.push(messageOf(message));
  }
  return [...topics.values()];
}

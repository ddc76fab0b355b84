import type { Static, TSchema } from 'typebox';
import type { Topic, TopicFamily } from './topic.js';

/** CloudEvents data-classification extension, attribute `dataclassification`. */
export type Classification = 'public' | 'internal' | 'confidential' | 'restricted';

export type Producer = 'customer-profiles' | 'partner-sharing' | 'notifications' | 'site-visits' | 'recipient';

/**
 * One event of one type: its schema, topic, key, producer and an example, in one constant.
 * `key` never carries personal data: ids, slugs and numbers only.
 */
export interface EventContract<Schema extends TSchema = TSchema> {
  readonly type: string;
  readonly topic: Topic | TopicFamily;
  readonly producer: Producer;
  readonly classification: Classification;
  /** Whether the data is about a person or a customer (CloudEvents attribute `dataregulation`: GDPR). */
  readonly personal: boolean;
  readonly schema: Schema;
  readonly key: (data: Static<Schema>) => string;
  readonly example: Static<Schema>;
}

export type DataOf<Contract extends EventContract> = Static<Contract['schema']>;

/** Declares an event; the type of its data follows from the schema. */
export function defineEvent<Schema extends TSchema>(contract: EventContract<Schema>): EventContract<Schema> {
  return Object.freeze(contract);
}

/** Whether the contract's topic exists once per recipient. */
export function isFamily(topic: Topic | TopicFamily): topic is TopicFamily {
  return 'of' in topic;
}

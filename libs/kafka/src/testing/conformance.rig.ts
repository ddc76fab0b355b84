import { randomUUID } from 'node:crypto';
import { defineTopic, type TopicKind, type WireMessage } from '@castiron/contracts';
import {
  readAll,
  type Consumer,
  type ConsumerOptions,
  type Kafka,
  type KafkaSettings,
  type Sendable,
} from '../index.js';
import kafkajs from '../kafkajs.js';
import { implementationNamed } from './implementations.js';
import { openTransaction, type OpenTransaction } from './open-transaction.js';

interface Login {
  readonly username: string;
  readonly password: string;
}

export const message = (topic: string, key: string, value: string | null): WireMessage => ({
  topic,
  key,
  value,
  headers: {},
});

/** What the specs of the port share: an implementation of it, as the broker's super user, and topics of their own. */
export class ConformanceRig {
  readonly settings: KafkaSettings;
  readonly kafka: Kafka;
  readonly admin: ReturnType<Kafka['admin']>;
  private readonly running: Consumer[] = [];

  constructor(
    stack: { readonly bootstrap: string; readonly principals: Readonly<Record<string, Login>> },
    private readonly implementation: string,
  ) {
    const admin = stack.principals['admin'];
    if (admin === undefined) throw new Error('the stack has no admin');
    this.settings = { brokers: [stack.bootstrap], clientId: 'spec', ...admin };
    this.kafka = this.with({});
    this.admin = this.kafka.admin();
  }

  with(settings: Partial<KafkaSettings>): Kafka {
    return implementationNamed(this.implementation)({ ...this.settings, ...settings });
  }

  /** kafkajs itself, for what the port does not offer. */
  raw(): kafkajs.Kafka {
    const { brokers, username, password } = this.settings;
    return new kafkajs.Kafka({
      brokers: [...brokers],
      sasl: { mechanism: 'scram-sha-512', username, password },
      logLevel: kafkajs.logLevel.NOTHING,
    });
  }

  async newTopic(
    options: { partitions?: number; kind?: TopicKind; config?: Readonly<Record<string, string>> } = {},
  ): Promise<string> {
    const { partitions = 1, kind = 'events', config = {} } = options;
    const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind, partitions });
    await this.admin.createTopics([{ ...topic, config: { ...topic.config, ...config } }]);
    return topic.name;
  }

  async send(...messages: Sendable[]): Promise<void> {
    const producer = this.kafka.producer();
    await producer.send(messages);
    await producer.close();
  }

  async valuesOf(topic: string): Promise<string[]> {
    const values: string[] = [];
    for await (const { value } of readAll(this.kafka, topic)) values.push(String(value));
    return values;
  }

  /** Starts a consumer that is stopped with the rig, if not before. */
  async consume(
    options: Pick<ConsumerOptions, 'groupId' | 'onBatch'> & { topic: string } & Partial<ConsumerOptions>,
    settings: Partial<KafkaSettings> = {},
  ): Promise<Consumer> {
    const { topic, ...rest } = options;
    const consumer = this.with(settings).consumer({ topics: [topic], onCrash: () => undefined, ...rest });
    this.running.push(consumer);
    await consumer.start();
    return consumer;
  }

  /** The offset of the first partition that a group has committed; -1 for none. */
  async committed(groupId: string, topic: string): Promise<number> {
    const admin = this.raw().admin();
    try {
      const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
      return Number(group?.partitions[0]?.offset ?? -1);
    } finally {
      await admin.disconnect();
    }
  }

  /** The one member of a group, by the name that the broker gave it. */
  async memberOf(groupId: string): Promise<string | undefined> {
    const admin = this.raw().admin();
    try {
      const { groups } = await admin.describeGroups([groupId]);
      return groups[0]?.members[0]?.memberId;
    } finally {
      await admin.disconnect();
    }
  }

  /** A Kafka transaction of somebody else's, with these messages in it. */
  openTransaction(...messages: WireMessage[]): Promise<OpenTransaction> {
    return openTransaction(this.settings, messages);
  }

  async close(): Promise<void> {
    await Promise.all(this.running.map((consumer) => consumer.stop()));
    await this.admin.close();
  }
}

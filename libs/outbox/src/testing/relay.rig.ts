import { randomUUID } from 'node:crypto';
import { defineEvent, defineTopic, type Topic } from '@castiron/contracts';
import { connect, readAll, type Kafka } from '@castiron/kafka';
import { createLogger } from '@castiron/observability';
import { outboxKey, Transactions } from '@castiron/transactions';
import { Type } from 'typebox';
import type { DataSource } from 'typeorm';
import { inject } from 'vitest';
import { appendToOutbox, Relay, type RelayOptions } from '../index.js';
import { addressOf } from './address-of.js';

const { bootstrap, principals } = inject('stack').kafka;
const { username = '', password = '' } = principals['admin'] ?? {};
const logger = createLogger('spec', 'silent');

export const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

export const eventOn = (name: string) =>
  defineEvent({
    type: 'spec.counted.v1',
    topic: defineTopic({ name, kind: 'events' }),
    producer: 'notifications',
    classification: 'internal',
    personal: false,
    schema: Type.Object({ key: Type.String(), n: Type.Integer(), fill: Type.Optional(Type.String()) }),
    key: (data) => data.key,
    example: { key: 'a', n: 1 },
  });

/** Relays of one outbox, on the broker of the tests. */
export class RelayRig {
  readonly kafka: Kafka = connect({ brokers: [bootstrap], clientId: 'spec', username, password });
  private readonly admin = this.kafka.admin();
  private readonly name = `spec-${randomUUID()}`;
  private relays: Relay[] = [];

  constructor(readonly dataSource: DataSource) {}

  relay(options: Partial<RelayOptions> = {}): Relay {
    const { kafka, name } = this;
    const made = new Relay({ name, database: addressOf(this.dataSource), kafka, logger, ...options });
    this.relays.push(made);
    return made;
  }

  async newEvent() {
    const topic = `spec.${randomUUID()}.v1`;
    await this.createTopic(topic);
    return { contract: eventOn(topic), topic };
  }

  createTopic(name: string, config: Topic['config'] = {}): Promise<void> {
    const topic = defineTopic({ name, kind: 'events' });
    return this.admin.createTopics([{ ...topic, config: { ...topic.config, ...config } }]);
  }

  /** Commits one event in a transaction of its own, and wakes nobody. */
  async publish(contract: ReturnType<typeof eventOn>, topic: string, data: { key: string; n: number; fill?: string }) {
    const nobody = { append: appendToOutbox, wake: () => undefined };
    const transactions = new Transactions(this.dataSource, nobody, { contract });
    await transactions.run([outboxKey(topic, data.key)], (tx) => Promise.resolve(tx.publish(contract, data)));
  }

  /** The numbers on a topic by key, in order. */
  async received(topic: string): Promise<Map<string, number[]>> {
    const byKey = new Map<string, number[]>();
    for await (const { key, value } of readAll(this.kafka, topic)) {
      const list = byKey.get(String(key)) ?? [];
      list.push((JSON.parse(String(value)) as { n: number }).n);
      byKey.set(String(key), list);
    }
    return byKey;
  }

  /** Between tests. */
  async stopRelays(): Promise<void> {
    await Promise.all(this.relays.splice(0).map((relay) => relay.stop()));
  }

  async close(): Promise<void> {
    await this.stopRelays();
    await this.dataSource.destroy();
    await this.admin.close();
  }
}

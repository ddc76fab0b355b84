import { randomUUID } from 'node:crypto';
import {
  defineEvent,
  defineTopic,
  encodeEvent,
  type EventContract,
  newEventId,
  resyncRequested,
  type TopicKind,
  type WireMessage,
  withdrawalConfirmed,
} from '@castiron/contracts';
import type { Admin, Kafka, Producer } from '@castiron/kafka';
import { createLogger } from '@castiron/observability';
import { outboxKey, type OutboxPort, type PendingEvent, Transactions } from '@castiron/transactions';
import { Type } from 'typebox';
import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm';
import { Inbox, subscribe, type InboxOptions, type Seal, type Selection, type Subscription } from '../index.js';

/** What handlers of specs leave behind. */
export class KeepWhatHappened1795392000902 implements MigrationInterface {
  readonly name = 'KeepWhatHappened1795392000902';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('CREATE TABLE effects (id bigserial PRIMARY KEY, topic text, key text, n int)');
    await runner.query('CREATE TABLE published (id bigserial PRIMARY KEY, key text)');
  }
  down(): Promise<void> {
    return Promise.reject(new Error('forward only'));
  }
}

/** What a recipient may say on its own topic, about something that nobody asked of it. */
export const replyOf = (slug: string, id = newEventId()): WireMessage =>
  encodeEvent(withdrawalConfirmed, withdrawalConfirmed.example, { id, time: new Date() }, slug);

/** A UUIDv7 of this instant. */
export function idOf(milliseconds: number): string {
  const hex = milliseconds.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000001`;
}

// Not an encryption: it only shows that what is stored went through it.
export const specSeal: Seal = {
  seal: (bytes) => Buffer.from(bytes.map((byte) => byte ^ 0x55)),
  open: (sealed) => Buffer.from(sealed.map((byte) => byte ^ 0x55)),
  hash: (value) => `hash of ${value}`,
};

/** An event of a topic; its type is of the spec's own choice. */
export const eventOn = (name: string, kind: TopicKind, type = 'spec.counted.v1', personal = false) =>
  defineEvent({
    type,
    topic: defineTopic({ name, kind, partitions: 2 }),
    producer: 'notifications',
    classification: 'internal',
    personal,
    schema: Type.Object({ key: Type.String(), n: Type.Integer() }),
    key: (data) => data.key,
    example: { key: 'a', n: 1 },
  });
export type Counted = ReturnType<typeof eventOn>;

export const event = (contract: Counted, key: string, n: number): WireMessage =>
  encodeEvent(contract, { key, n }, { id: newEventId(), time: new Date() });

export const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => index + 1);

/** For a second inbox of a name: as if the first had ended before it committed where it stood. */
export const fromTheStart = (kafka: Kafka): Kafka => ({
  ...kafka,
  consumer: (options) => kafka.consumer({ ...options, groupId: `${options.groupId}-again` }),
});

interface ParkedRow {
  readonly reason: string;
  readonly state: string;
  readonly ended: string | null;
  readonly sealed: Buffer | null;
}

/** Inboxes of one spec file: what they read, and what became of it. */
export class InboxRig {
  readonly crashes: Error[] = [];
  readonly admin: Admin;
  readonly producer: Producer;
  private readonly outbox: OutboxPort;
  private readonly publications: Record<string, EventContract> = {};
  private inboxes: Inbox[] = [];

  constructor(
    readonly dataSource: DataSource,
    private readonly kafka: Kafka,
  ) {
    this.admin = kafka.admin();
    this.producer = kafka.producer();
    const append = (events: readonly PendingEvent[]) => ({
      name: 'publish',
      text: 'INSERT INTO published (key) SELECT jsonb_array_elements_text($1)',
      values: [JSON.stringify(events.map(({ message }) => message.key))],
    });
    this.outbox = { append, wake: () => undefined };
  }

  async stopInboxes(): Promise<void> {
    const inboxes = this.inboxes;
    this.inboxes = [];
    await Promise.all(inboxes.map((inbox) => inbox.stop()));
  }

  async close(): Promise<void> {
    await this.producer.close();
    await this.admin.close();
    await this.dataSource.destroy();
  }

  async newEvent(kind: TopicKind = 'events'): Promise<{ contract: Counted; topic: string }> {
    const topic = `spec.${randomUUID()}.v1`;
    await this.admin.createTopics([defineTopic({ name: topic, kind, partitions: 2 })]);
    return { contract: eventOn(topic, kind), topic };
  }

  inboxOf(options: Partial<InboxOptions> & Pick<InboxOptions, 'topics' | 'subscriptions'>): Inbox {
    const inbox = new Inbox({
      name: `spec-${randomUUID()}`,
      dataSource: this.dataSource,
      transactions: new Transactions(this.dataSource, this.outbox, this.publications),
      kafka: this.kafka,
      seal: specSeal,
      logger: createLogger('spec', 'silent'),
      // What recipients send is a confirmation in all specs.
      ignored: [resyncRequested],
      onCrash: (error) => this.crashes.push(error),
      ...options,
    });
    this.inboxes.push(inbox);
    return inbox;
  }

  /** Writes an effect and publishes an event for each message, so that a second handling would show. */
  counting(contract: Counted, topic: string, before: (n: number, key: string) => void = () => undefined): Subscription {
    this.publications[topic + contract.type] = contract;
    return subscribe(contract, {
      keys: ({ key }) => [outboxKey(topic, `out-${key}`)],
      async handle({ data, key }, tx) {
        await tx.manager.query('INSERT INTO effects (topic, key, n) VALUES ($1, $2, $3)', [
          topic,
          key,
          data?.n ?? null,
        ]);
        tx.publish(contract, { key: `out-${key}`, n: data?.n ?? 0 });
        before(data?.n ?? 0, key);
      },
    });
  }

  /** Replays everything; how often each outcome came. */
  async replay(inbox: Inbox, selection: Selection = {}, dryRun = false): Promise<Record<string, number>> {
    const { messages } = await inbox.parked.replay(selection, dryRun, 'an-officer');
    const counts: Record<string, number> = {};
    for (const { outcome } of messages) counts[outcome] = (counts[outcome] ?? 0) + 1;
    return counts;
  }

  /** How many statements like this one wait for a lock. */
  async waitingForLocks(like: string): Promise<number> {
    const waiting = await this.dataSource.query<unknown[]>(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1`,
      [like],
    );
    return waiting.length;
  }

  async effects(topic: string, key: string): Promise<(number | null)[]> {
    const rows = await this.dataSource.query<{ n: number | null }[]>(
      'SELECT n FROM effects WHERE topic = $1 AND key = $2 ORDER BY id',
      [topic, key],
    );
    return rows.map(({ n }) => n);
  }

  parked(topic: string): Promise<ParkedRow[]> {
    return this.dataSource.query(
      'SELECT reason, state, ended_reason AS ended, sealed FROM parked_messages WHERE topic = $1 ORDER BY id',
      [topic],
    );
  }

  async reasons(topic: string): Promise<string[]> {
    return (await this.parked(topic)).map(({ reason }) => reason);
  }
}

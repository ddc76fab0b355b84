import { randomUUID } from 'node:crypto';
import {
  decodeMessage,
  encodeEvent,
  newEventId,
  topicsOfRecipient,
  withdrawalConfirmed,
  withdrawalDue,
  type DataOf,
  type WireMessage,
} from '@castiron/contracts';
import type { Consumer, IncomingBatch, Kafka, Producer } from '@castiron/kafka';
import type { RecommendationsView } from './recommendations-view.js';

export const SLUG = 'recommendations';
const { feed, duties } = topicsOfRecipient(SLUG);

export interface ReaderOptions {
  readonly kafka: Kafka;
  readonly view: RecommendationsView;
  readonly log: (fact: Readonly<Record<string, unknown>>) => void;
  readonly onCrash: (error: Error) => void;
}

/**
 * Reads the feed into the view and answers duties. The view is in memory, so each run reads the feed from its start,
 * under a group of its own; duties are answered once, under a group that stays.
 */
export class Reader {
  private readonly consumers: readonly Consumer[];
  private readonly producer: Producer;

  constructor(private readonly options: ReaderOptions) {
    const { kafka, onCrash } = options;
    this.producer = kafka.producer();
    this.consumers = [
      kafka.consumer({
        groupId: `${SLUG}.view-${randomUUID()}`,
        topics: [feed.name],
        onCrash,
        onBatch: (batch) => this.onFeed(batch),
      }),
      kafka.consumer({
        groupId: `${SLUG}.duties`,
        topics: [duties.name],
        onCrash,
        onBatch: (batch) => this.onDuties(batch),
      }),
    ];
  }

  async start(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.start()));
  }

  async stop(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop()));
    await this.producer.close();
  }

  healthy(): boolean {
    return this.consumers.every((consumer) => consumer.healthy());
  }

  private onFeed({ topic, messages }: IncomingBatch): Promise<void> {
    for (const message of messages) {
      const change = this.options.view.takeRecord({ topic, ...message });
      if (change !== 'nothing')
        this.options.log({ msg: `a customer ${change}`, change, customers: this.options.view.list().length });
    }
    return Promise.resolve();
  }

  /** Deletes first and confirms then; offsets are committed last, so a crash confirms again, which does no harm. */
  private async onDuties({ topic, messages }: IncomingBatch): Promise<void> {
    const confirmations: WireMessage[] = [];
    for (const message of messages) {
      const decoded = decodeMessage({ topic, ...message }, [withdrawalDue]);
      if (!decoded.ok) {
        // Other kinds of duty may come; a broken one is worth a word.
        if (decoded.reason !== 'unknown-type')
          this.options.log({ msg: 'a duty was not understood', reason: decoded.reason });
        continue;
      }
      // Sound: only withdrawals were asked for, and an event has a value.
      const duty = decoded.event.data as DataOf<typeof withdrawalDue>;
      this.options.view.takeWithdrawal(duty);
      const { obligation, subject, version } = duty;
      const now = new Date();
      const data = { obligation, subject, version, at: now.toISOString() };
      confirmations.push(encodeEvent(withdrawalConfirmed, data, { id: newEventId(), time: now }, SLUG));
    }
    if (confirmations.length === 0) return;
    await this.producer.send(confirmations);
    this.options.log({ msg: 'withdrawals confirmed', count: confirmations.length });
  }
}

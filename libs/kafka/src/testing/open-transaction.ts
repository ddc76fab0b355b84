import { randomUUID } from 'node:crypto';
import type { WireMessage } from '@castiron/contracts';
import { groupByTopic } from '../grouped.js';
import kafkajs from '../kafkajs.js';
import type { KafkaSettings } from '../types.js';

const TIMEOUT_MS = 60_000;

/** A transaction that holds back every reader of its partitions until the specs end it. */
export interface OpenTransaction {
  readonly transactionalId: string;
  commit(): Promise<void>;
  abort(): Promise<void>;
}

/** Such as a broker leaves behind that died while it committed. */
export async function openTransaction(
  { brokers, username, password }: Pick<KafkaSettings, 'brokers' | 'username' | 'password'>,
  messages: readonly WireMessage[],
): Promise<OpenTransaction> {
  const kafka = new kafkajs.Kafka({
    brokers: [...brokers],
    sasl: { mechanism: 'scram-sha-512', username, password },
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const transactionalId = `spec-${randomUUID()}`;
  const producer = kafka.producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: TIMEOUT_MS,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  const transaction = await producer.transaction();
  // One at a time: what a partition takes at once is bounded, what a transaction holds is not.
  for (const one of messages) await transaction.sendBatch({ topicMessages: groupByTopic([one]) });
  const ended = async (how: 'commit' | 'abort'): Promise<void> => {
    await transaction[how]();
    await producer.disconnect();
  };
  return { transactionalId, commit: () => ended('commit'), abort: () => ended('abort') };
}

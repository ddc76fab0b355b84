import { connect, type Kafka, type KafkaSettings } from '@castiron/kafka';
import type { Logger } from '@castiron/observability';
import type { MessagingSettings, ServiceSettings } from '../service-settings.js';

export type KafkaOfService = Pick<
  ServiceSettings & MessagingSettings,
  'name' | 'kafkaBrokers' | 'kafkaUsername' | 'kafkaPassword' | 'kafkaSsl' | 'leaseMs'
>;

/** Kafka's clients in a service's log, with the broker's own words for why it refused. */
export const tellingOfKafka =
  (logger: Logger): NonNullable<KafkaSettings['onLog']> =>
  ({ level, message, cause }) =>
    logger[level]({ from: 'kafka', ...(cause !== undefined && { cause }) }, message);

/** A service's way to Kafka, under its own principal. */
export function kafkaOf(settings: KafkaOfService, logger: Logger): Kafka {
  return connect({
    brokers: [...settings.kafkaBrokers],
    clientId: settings.name,
    username: settings.kafkaUsername,
    password: settings.kafkaPassword,
    ssl: settings.kafkaSsl,
    leaseMs: settings.leaseMs,
    onLog: tellingOfKafka(logger),
  });
}

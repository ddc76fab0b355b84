import { connect, type Kafka } from '@castiron/kafka';
import type { Logger } from '@castiron/observability';
import type { MessagingSettings, ServiceSettings } from '../service-settings.js';

export type KafkaOfService = Pick<
  ServiceSettings & MessagingSettings,
  'name' | 'kafkaBrokers' | 'kafkaUsername' | 'kafkaPassword' | 'kafkaSsl' | 'leaseMs'
>;

/** A service's way to Kafka, under its own principal. */
export function kafkaOf(settings: KafkaOfService, logger: Logger): Kafka {
  return connect({
    brokers: [...settings.kafkaBrokers],
    clientId: settings.name,
    username: settings.kafkaUsername,
    password: settings.kafkaPassword,
    ssl: settings.kafkaSsl,
    leaseMs: settings.leaseMs,
    onLog: ({ level, message }) => logger[level]({ from: 'kafka' }, message),
  });
}

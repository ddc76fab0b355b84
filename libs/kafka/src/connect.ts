import { ConnectedAdmin } from './admin.js';
import { CommittingConsumer } from './consumer.js';
import { IdempotentProducer } from './producer.js';
import { readSpans } from './read-spans.js';
import { readTopic } from './reading.js';
import { RecordEncoder } from './record-encoder.js';
import type { Kafka, KafkaSettings } from './types.js';

/** A principal's way to Kafka; cheap, nothing connects yet. */
export function connect(settings: KafkaSettings): Kafka {
  return {
    producer: () => new IdempotentProducer(settings),
    fencedProducer: (transactionalId, options) => new IdempotentProducer(settings, transactionalId, options),
    encoder: () => new RecordEncoder(),
    consumer: (options) => new CommittingConsumer(settings, options),
    admin: () => new ConnectedAdmin(settings),
    read: (topic, options = {}) => readTopic(settings, topic, options),
    readSpans: (spans, take, signal) => readSpans(settings, spans, take, signal),
  };
}

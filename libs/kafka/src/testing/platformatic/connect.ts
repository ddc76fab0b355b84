import type { Kafka, KafkaSettings } from '../../types.js';
import { PlatformaticAdmin } from './admin.js';
import { PlatformaticConsumer } from './consumer.js';
import { EncodedForPlatformatic, PlatformaticProducer } from './producer.js';
import { readSpans } from './read-spans.js';
import { readTopic } from './reading.js';

/** The port over `@platformatic/kafka`, to see what would change with another client. Not shipped. */
export function connect(settings: KafkaSettings): Kafka {
  const admin = () => new PlatformaticAdmin(settings);
  return {
    producer: () => new PlatformaticProducer(settings),
    fencedProducer: (transactionalId) => new PlatformaticProducer(settings, transactionalId),
    encoder: () => ({ encode: (message) => new EncodedForPlatformatic(message) }),
    consumer: (options) => new PlatformaticConsumer(settings, options, admin),
    admin,
    read: (topic, options = {}) => readTopic(settings, topic, options),
    readSpans: (spans, take) => readSpans(settings, spans, take),
  };
}

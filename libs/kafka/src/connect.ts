import type { Kafka, KafkaSettings } from './types.js';

/** A principal's way to Kafka; cheap, nothing connects yet. */
export function connect(settings: KafkaSettings): Kafka {
  throw new Error(`not built yet: ${settings.clientId}`);
}

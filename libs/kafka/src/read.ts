import type { Kafka, PlacedMessage, ReadOptions } from './types.js';

/**
 * The committed messages of a topic from its beginning to the end it had when the reading began; with `follow`, on
 * from there until the loop or the signal ends. For tools and tests: it remembers nothing.
 */
export function readAll(kafka: Kafka, topic: string, options?: ReadOptions): AsyncIterable<PlacedMessage> {
  return kafka.read(topic, options);
}

import type { Kafka, PlacedMessage, ReadOptions } from './types.js';

/**
 * The committed messages of a topic (with `uncommitted`, all) from its beginning, or the last of them, to the end it had when
 * the reading began; with `follow`, on from there until the loop or the signal ends. It remembers nothing. Where an open
 * transaction stands before that end, the reading waits until it is committed or aborted.
 */
export function readAll(kafka: Kafka, topic: string, options?: ReadOptions): AsyncIterable<PlacedMessage> {
  return kafka.read(topic, options);
}

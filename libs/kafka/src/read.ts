import type { Kafka, PlacedMessage, ReadOptions } from './types.js';

/** All committed messages of a topic, from its beginning to the end it had when the reading began. */
export function readAll(kafka: Kafka, topic: string, options: ReadOptions = {}): AsyncIterable<PlacedMessage> {
  throw new Error(`not built yet: ${String(kafka)} ${topic} ${String(options.follow)}`);
}

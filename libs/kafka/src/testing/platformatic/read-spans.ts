import type { IncomingMessage, KafkaSettings, Span } from '../../types.js';
import { readTopic } from './reading.js';

/** Goes through all of each partition, and knows of no begin that was deleted. */
export async function readSpans(
  settings: KafkaSettings,
  spans: readonly Span[],
  take: (message: IncomingMessage, of: Span) => void,
): Promise<readonly Span[]> {
  for (const span of spans) {
    const { topic, partition, from, to } = span;
    for await (const message of readTopic(settings, topic, { partition })) {
      const offset = BigInt(message.offset);
      if (offset >= from && offset < to) take(message, span);
    }
  }
  return spans.filter(({ from, to }) => from > to);
}

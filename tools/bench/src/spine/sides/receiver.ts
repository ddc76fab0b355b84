import { connect } from '@castiron/kafka';
import type { OnTopic } from '../places.js';
import { sharedClock } from '../stopwatch.js';
import { listening } from './listening.js';

export { received } from './listening.js';

/** Begins to read a topic. */
export async function listen(given: Pick<OnTopic, 'kafka' | 'topic'> & { count: number }): Promise<void> {
  const { kafka, topic, count } = given;
  const to = listening(count, () => consumer.stop());
  const consumer = connect(kafka).consumer({
    groupId: `${topic}.receiver`,
    topics: [topic],
    onBatch: async ({ messages }) => {
      const now = sharedClock();
      for (const { value } of messages) to.note(value, now);
    },
    onCrash: (error) => {
      throw error;
    },
  });
  await consumer.start();
}

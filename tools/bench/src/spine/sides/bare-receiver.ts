import { bareClient } from '../bare-client.js';
import type { OnTopic } from '../places.js';
import { listening } from './listening.js';

export { received } from './listening.js';

/** Begins to read a topic as the client's manual does. */
export async function listen(given: Pick<OnTopic, 'kafka' | 'topic'> & { count: number }): Promise<void> {
  const { kafka, topic, count } = given;
  const consumer = bareClient(kafka).consumer({ groupId: `${topic}.receiver` });
  const to = listening(count, () => consumer.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const joined = new Promise<void>((resolve) => consumer.on(consumer.events.FETCH, () => resolve()));
  // Our consumer does not wait for its commits either.
  await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => to.note(message.value) });
  await joined;
}

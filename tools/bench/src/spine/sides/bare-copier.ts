import { randomUUID } from 'node:crypto';
import { newKey, open, seal } from '@castiron/encryption';
import { bareClient, createPartitioner, type BareMessage } from '../bare-client.js';
import type { Places } from '../places.js';
import { WorkCounter, type Work } from '../stopwatch.js';

/** A topic whose messages are sent again, and the topic they are sent to. */
interface Copied {
  readonly from: string;
  readonly to: string;
}

interface Held {
  readonly to: string;
  readonly message: BareMessage;
}

/** The last messages of these topics, so many of each partition at most. */
async function lastOf(kafka: Places['kafka'], copied: readonly Copied[], each: number): Promise<readonly Held[][]> {
  const client = bareClient(kafka);
  const admin = client.admin();
  await admin.connect();
  const wanted = new Map<string, number>();
  const consumer = client.consumer({ groupId: `bench.copier-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: copied.map(({ from }) => from) });
  const held = new Map<string, Held[]>(copied.map(({ from }) => [from, []]));
  const to = new Map(copied.map((one) => [one.from, one.to]));
  const begins: { topic: string; partition: number; offset: string }[] = [];
  for (const { from: topic } of copied)
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      const begin = Math.max(Number(low), Number(high) - each);
      if (begin === Number(high)) continue;
      wanted.set(`${topic} ${partition}`, Number(high) - 1);
      begins.push({ topic, partition, offset: String(begin) });
    }
  await admin.disconnect();
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: ({ topic, partition, message: { key, value, headers = {}, offset } }) => {
          // A tick is no record.
          if (value !== null && wanted.has(`${topic} ${partition}`))
            held.get(topic)?.push({
              to: to.get(topic) ?? '',
              message: {
                key,
                value,
                headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, String(text)])),
              },
            });
          if (Number(offset) >= (wanted.get(`${topic} ${partition}`) ?? Infinity))
            wanted.delete(`${topic} ${partition}`);
          if (wanted.size === 0) resolve();
          return Promise.resolve();
        },
      })
      .catch(reject);
    for (const begin of begins) consumer.seek(begin);
  });
  await consumer.disconnect();
  return [...held.values()];
}

async function heldFrom(kafka: Places['kafka'], copied: readonly Copied[], different: number): Promise<Held[]> {
  const ofTopics = await lastOf(kafka, copied, Math.ceil(different / copied.length / 2));
  // One of each topic in turn, as lanes send them.
  return Array.from({ length: Math.max(...ofTopics.map((held) => held.length)) }, (_, n) =>
    ofTopics.flatMap((held) => held[n] ?? []),
  ).flat();
}

const grouped = (batch: readonly Held[]) =>
  [...Map.groupBy(batch, ({ to }) => to)].map(([topic, held]) => ({
    topic,
    messages: held.map(({ message }) => message),
  }));

/**
 * Sends messages that stand on topics to others, so many at a time, read before the clock runs; each send waits for the answer to
 * the former.
 * @param given `sealed`: each value is held as a ciphertext (AES-256-GCM), and opened as it is sent
 */
export async function copy(
  given: Pick<Places, 'kafka'> & {
    topics: readonly Copied[];
    count: number;
    different: number;
    batch: number;
    sealed: boolean;
  },
): Promise<Work> {
  const { kafka, topics, count, different, batch, sealed } = given;
  const key = newKey();
  const held = (await heldFrom(kafka, topics, different)).map(({ to, message }) => ({
    to,
    message: sealed ? { ...message, value: seal(key, message.value as Buffer, to) } : message,
  }));
  const opened = ({ to, message }: Held): Held => ({
    to,
    message: { ...message, value: open(key, message.value as Buffer, to) },
  });
  const producer = bareClient(kafka).producer({ createPartitioner });
  await producer.connect();
  const sent = new WorkCounter(count);
  for (let begun = 0; begun < count;) {
    const from = begun % held.length;
    const messages = held.slice(from, from + Math.min(batch, count - begun));
    begun += messages.length;
    await producer.sendBatch({ topicMessages: grouped(sealed ? messages.map(opened) : messages), acks: -1 });
    sent.add(messages.length);
  }
  const work = await sent.finished;
  await producer.disconnect();
  return work;
}

import { bareClient, createPartitioner, type BareMessage } from '../bare-client.js';
import { contractOn, messageOf, type BenchContract } from '../events.js';
import { atRate } from '../pace.js';
import type { OnTopic } from '../places.js';
import { sharedClock, watchOwnMemory, WorkCounter, type Work } from '../stopwatch.js';

const wire = (contract: BenchContract, n: number): BareMessage => {
  const { key, value, headers } = messageOf(contract, n);
  return { key, value, headers: { ...headers } };
};

/** Sends so many messages, `batch` at a time, made before the clock runs. */
export async function send(
  given: Pick<OnTopic, 'kafka' | 'topic'> & { count: number; batch: number },
): Promise<Work & { peakMiB: number }> {
  const { kafka, topic, count, batch } = given;
  const contract = contractOn(topic);
  const messages = Array.from({ length: count }, (_, n) => wire(contract, n));
  const producer = bareClient(kafka).producer({ createPartitioner });
  await producer.connect();
  const memory = watchOwnMemory();
  const sent = new WorkCounter(count);
  for (let at = 0; at < count; at += batch) {
    const slice = messages.slice(at, at + batch);
    await producer.send({ topic, messages: slice, acks: -1 });
    sent.add(slice.length);
  }
  const work = await sent.finished;
  await producer.disconnect();
  return { ...work, peakMiB: memory() };
}

/** Sends one message at a time at a steady rate. @returns when each was handed to the client, in ms */
export async function pace(
  given: Pick<OnTopic, 'kafka' | 'topic'> & { perSecond: number; count: number },
): Promise<Float64Array> {
  const { kafka, topic, perSecond, count } = given;
  const contract = contractOn(topic);
  const producer = bareClient(kafka).producer({ createPartitioner });
  await producer.connect();
  const begun = new Float64Array(count);
  await atRate(perSecond, count, (n) => {
    const message = wire(contract, n);
    begun[n] = sharedClock();
    return producer.send({ topic, messages: [message], acks: -1 });
  });
  await producer.disconnect();
  return begun;
}

import { bareClient, createPartitioner, type BareMessage } from '../bare-client.js';
import { contractOn, messageOf, type BenchContract } from '../events.js';
import { atRate, type Paced } from '../pace.js';
import type { OnTopic } from '../places.js';
import { sharedClock, watchOwnMemory, WorkCounter, type Work } from '../stopwatch.js';

const wire = (contract: BenchContract, n: number): BareMessage => {
  const { key, value, headers } = messageOf(contract, n);
  return { key, value, headers: { ...headers } };
};

/**
 * Sends so many messages, `batch` at a time, made before the clock runs.
 * @param given `different`: so many messages, again and again; `atOnce`: sends under way at a time, with one of them each
 *   waits for the answer to the former
 */
export async function send(
  given: Pick<OnTopic, 'kafka' | 'topic'> & { count: number; different: number; batch: number; atOnce: number },
): Promise<Work & { peakMiB: number }> {
  const { kafka, topic, count, different, batch, atOnce } = given;
  const contract = contractOn(topic);
  const batches = Array.from({ length: Math.ceil(different / batch) }, (_, at) =>
    Array.from({ length: batch }, (__, n) => wire(contract, at * batch + n)),
  );
  const producer = bareClient(kafka).producer({ createPartitioner });
  await producer.connect();
  const memory = watchOwnMemory();
  const sent = new WorkCounter(count);
  let begun = 0;
  const sendOn = async (): Promise<void> => {
    while (begun < count) {
      const messages = (batches[(begun / batch) % batches.length] ?? []).slice(0, count - begun);
      begun += batch;
      await producer.send({ topic, messages, acks: -1 });
      sent.add(messages.length);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, sendOn));
  const work = await sent.finished;
  await producer.disconnect();
  return { ...work, peakMiB: memory() };
}

/** Sends one message at a time at a steady rate; `begun` is when it was handed to the client. */
export async function pace(
  given: Pick<OnTopic, 'kafka' | 'topic'> & { perSecond: number; count: number },
): Promise<Paced> {
  const { kafka, topic, perSecond, count } = given;
  const contract = contractOn(topic);
  const producer = bareClient(kafka).producer({ createPartitioner });
  await producer.connect();
  const begun = new Float64Array(count);
  const due = await atRate(perSecond, count, (n) => {
    const message = wire(contract, n);
    begun[n] = sharedClock();
    return producer.send({ topic, messages: [message], acks: -1 });
  });
  await producer.disconnect();
  return { due, begun };
}

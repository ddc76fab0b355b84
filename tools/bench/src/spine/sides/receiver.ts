import { connect, type Consumer as OwnConsumer } from '@castiron/kafka';
import { bareClient, type BareConsumer } from '../bare-client.js';
import { numberOf } from '../events.js';
import type { OnTopic } from '../places.js';
import { sharedClock } from '../stopwatch.js';

interface Listening {
  readonly stop: () => Promise<unknown>;
  readonly at: Float64Array;
  missing: number;
  complete: () => void;
  readonly completed: Promise<void>;
}

let listening: Listening | undefined;

function note(value: Buffer | null, it: Listening, now: number): void {
  const n = numberOf(value);
  if (!(n >= 0 && n < it.at.length) || !Number.isNaN(it.at[n])) return;
  it.at[n] = now;
  it.missing -= 1;
  if (it.missing === 0) it.complete();
}

/** Begins to read a topic, with the bare client as its manual does or with ours. */
export async function listen(
  given: Pick<OnTopic, 'kafka' | 'topic'> & { count: number; bare: boolean },
): Promise<void> {
  const { kafka, topic, count, bare } = given;
  let complete = (): void => undefined;
  const completed = new Promise<void>((resolve) => (complete = resolve));
  let consumer: BareConsumer | OwnConsumer;
  const it: Listening = {
    stop: () => consumer.stop(),
    at: new Float64Array(count).fill(Number.NaN),
    missing: count,
    complete,
    completed,
  };
  listening = it;
  const groupId = `${topic}.receiver`;
  if (bare) {
    const bareConsumer = bareClient(kafka).consumer({ groupId });
    consumer = bareConsumer;
    await bareConsumer.connect();
    await bareConsumer.subscribe({ topics: [topic], fromBeginning: true });
    const joined = new Promise<void>((resolve) => bareConsumer.on(bareConsumer.events.FETCH, () => resolve()));
    // Our consumer does not wait for its commits either.
    await bareConsumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => note(message.value, it, sharedClock()),
    });
    await joined;
    return;
  }
  consumer = connect(kafka).consumer({
    groupId,
    topics: [topic],
    onBatch: async ({ messages }) => {
      const now = sharedClock();
      for (const { value } of messages) note(value, it, now);
    },
    onCrash: (error) => {
      throw error;
    },
  });
  await consumer.start();
}

/** Waits for all events and stops. @returns when each was there, in ms */
export async function received({ within }: { within: number }): Promise<Float64Array> {
  const it = listening;
  if (it === undefined) throw new Error('nobody listens');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${it.missing} events never came`)), within);
  });
  try {
    await Promise.race([it.completed, late]);
  } finally {
    clearTimeout(timer);
    listening = undefined;
    await it.stop();
  }
  return it.at;
}

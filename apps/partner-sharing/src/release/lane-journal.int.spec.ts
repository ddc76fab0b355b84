import { randomUUID } from 'node:crypto';
import { defineTopic, sharingLanes, type WireMessage } from '@castiron/contracts';
import { connect, type Kafka } from '@castiron/kafka';
import { eventually } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { journalMessage, JournalUnread, LaneJournal } from './lane-journal.js';

const { bootstrap, principals } = inject('stack').kafka;
const broker = connect({ brokers: [bootstrap], clientId: 'spec', ...principals['admin']! });
const admin = broker.admin();
const producer = broker.producer();
/** Not the lanes of others that share the broker. */
const topic = defineTopic({ name: `spec.${randomUUID()}.v1`, kind: 'state', partitions: sharingLanes.partitions });
let reading = 0;
let atOnce = 0;
const kafka: Kafka = {
  ...broker,
  async *read(asked, options) {
    reading += 1;
    atOnce = Math.max(atOnce, reading);
    try {
      for await (const message of broker.read(topic.name, options)) yield { ...message, topic: asked };
    } finally {
      reading -= 1;
    }
  },
};
const never = new AbortController().signal;

/** What lanes have sent, each batch of its own; gives the last of each. */
async function sent(lanes: readonly number[], batches = 1): Promise<Map<number, string>> {
  const last = new Map<number, string>();
  for (let n = 0; n < batches; n += 100) {
    const records = lanes.flatMap((lane) =>
      Array.from({ length: Math.min(100, batches) }, () => {
        const batch = randomUUID();
        last.set(lane, batch);
        return journalMessage(lane, 1n, batch);
      }),
    );
    await producer.send(records.map((record) => ({ ...record, topic: topic.name })));
  }
  return last;
}

beforeAll(() => admin.createTopics([topic]));
afterAll(async () => {
  await producer.close();
  await admin.close();
});

describe('the journal of a lane', () => {
  it('is read at its end, however long it is, and few of them at once', async () => {
    const lanes = Array.from({ length: topic.partitions }, (_, lane) => lane);
    const last = await sent(lanes, 1_500);
    const journal = new LaneJournal(kafka);
    const read = await Promise.all(lanes.map((lane) => journal.batchesSent(lane, never)));
    for (const [lane, batches] of read.entries()) {
      expect(batches.has(last.get(lane)!)).toBe(true);
      expect(batches.size).toBeLessThan(1_500);
    }
    expect(atOnce).toBe(4);
  });

  it('is read from its beginning where its end tells nothing of the lane', async () => {
    const batch = (await sent([3])).get(3)!;
    const other = (): WireMessage => ({ topic: topic.name, key: 'other', value: '{}', headers: {}, partition: 3 });
    await producer.send(Array.from({ length: 1_100 }, other));
    expect((await new LaneJournal(kafka).batchesSent(3, never)).has(batch)).toBe(true);
  });

  it('is not taken for read by who is told to give up', async () => {
    await sent([5]);
    await expect(new LaneJournal(kafka).batchesSent(5, AbortSignal.abort())).rejects.toThrow(JournalUnread);
    const given = new AbortController();
    const told = new LaneJournal(kafka).batchesSent(5, given.signal);
    await eventually(() => expect(reading).toBe(1));
    given.abort();
    await expect(told).rejects.toThrow(JournalUnread);
  });
});

import { randomUUID } from 'node:crypto';
import {
  encodeEvent,
  feedRecord,
  newEventId,
  topicsOfRecipient,
  withdrawalDue,
  type DataOf,
} from '@castiron/contracts';
import { connect, readAll, type Kafka, type Producer } from '@castiron/kafka';
import { eventually } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Reader, SLUG } from './reader.js';
import { RecommendationsView } from './recommendations-view.js';

const { bootstrap, principals } = inject('stack').kafka;
const kafkaOf = (name: string): Kafka =>
  connect({ brokers: [bootstrap], clientId: 'test', username: name, password: principals[name]?.password ?? '' });

const meta = () => ({ id: newEventId(), time: new Date() });
const given = (value: string) => ({
  value,
  purposes: [{ purpose: 'recommendation' as const, ground: 'permission' as const }],
  opening: 'AA',
});
const record = (subject: string, version: number, attributes: DataOf<typeof feedRecord>['attributes']) =>
  encodeEvent(feedRecord, { ...feedRecord.example, subject, version, attributes }, meta(), SLUG);

const admin = kafkaOf('admin');
let producer: Producer;
const readers: Reader[] = [];

beforeAll(() => {
  producer = admin.producer();
});
afterAll(async () => {
  await Promise.all([...readers.map((reader) => reader.stop()), producer.close()]);
});

async function startReader(): Promise<RecommendationsView> {
  const view = new RecommendationsView();
  const reader = new Reader({
    kafka: kafkaOf(SLUG),
    view,
    log: () => undefined,
    onCrash: (error) => {
      throw error;
    },
  });
  readers.push(reader);
  await reader.start();
  return view;
}

describe('the sample consumer, with its own rights on the broker', () => {
  it('shows who permitted it, and loses and confirms who withdraws', async () => {
    const view = await startReader();
    const [stays, leaves, obligation] = [randomUUID(), randomUUID(), randomUUID()];
    const attributes = { companyName: given('Example Ltd'), servicesUsed: given('web hosting') };
    await producer.send([record(stays, 1, attributes), record(leaves, 1, attributes)]);
    const shown = (): string[] => view.list().map(({ subject }) => subject);
    await eventually(() => expect(shown()).toEqual(expect.arrayContaining([stays, leaves])));

    await producer.send([
      record(leaves, 2, {}),
      encodeEvent(withdrawalDue, { ...withdrawalDue.example, subject: leaves, obligation, version: 2 }, meta(), SLUG),
    ]);
    await eventually(async () => {
      expect(shown()).toContain(stays);
      expect(shown()).not.toContain(leaves);
      const replies: string[] = [];
      for await (const reply of readAll(admin, topicsOfRecipient(SLUG).replies.name)) replies.push(String(reply.value));
      expect(replies.filter((reply) => reply.includes(obligation))).toHaveLength(1);
    });

    const again = await startReader();
    await eventually(() => expect(again.list().map(({ subject }) => subject)).toContain(stays));
    expect(again.list().map(({ subject }) => subject)).not.toContain(leaves);
  });
});

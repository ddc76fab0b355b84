import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeMessage,
  encodeEvent,
  encodeTombstone,
  feedTick,
  feedRecord,
  newEventId,
  resyncRequested,
  topicsOfRecipient,
  withdrawalConfirmed,
  withdrawalDue,
  type DataOf,
  type WireMessage,
} from '@castiron/contracts';
import {
  connect,
  readAll,
  type AclRule,
  type Admin,
  type Kafka,
  type KafkaSettings,
  type Producer,
} from '@castiron/kafka';
import { eventually, uniqueSlug } from '@castiron/testing';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { askForResync } from './ask-resync.js';
import type { CopyFile } from './partner-copy.js';
import { plain } from './display.js';
import { Tail } from './tail.js';

const { bootstrap, principals } = inject('stack').kafka;
const settingsOf = (username: string, password: string): KafkaSettings => ({
  brokers: [bootstrap],
  clientId: 'test',
  username,
  password,
});

let kafka: Kafka;
let admin: Admin;
let producer: Producer;
let folder: string;
let slug: string;
let file: string;
let partner: KafkaSettings;
const running: Tail[] = [];

beforeAll(async () => {
  kafka = connect(settingsOf('admin', principals['admin']?.password ?? ''));
  admin = kafka.admin();
  producer = kafka.producer();
  folder = await mkdtemp(join(tmpdir(), 'castiron-partner-'));
});
afterAll(async () => {
  await Promise.all([admin.close(), producer.close(), rm(folder, { recursive: true })]);
});

/** A partner with the rights a partner has, and no other. */
beforeEach(async () => {
  slug = uniqueSlug();
  file = join(folder, `partner-${slug}.json`);
  const { feed, duties, replies } = topicsOfRecipient(slug);
  await admin.createTopics([feed, duties, replies]);
  await admin.putUser(slug, 'a-password');
  const rule = (rest: Pick<AclRule, 'resource' | 'name' | 'operation' | 'pattern'>): AclRule => ({
    principal: `User:${slug}`,
    ...rest,
  });
  await admin.allow([
    rule({ resource: 'topic', name: feed.name, operation: 'read' }),
    rule({ resource: 'topic', name: duties.name, operation: 'read' }),
    rule({ resource: 'topic', name: replies.name, operation: 'write' }),
    rule({ resource: 'group', name: `${slug}.`, operation: 'read', pattern: 'prefixed' }),
  ]);
  partner = settingsOf(slug, 'a-password');
  // A broker learns of users and rights a moment after they were taken.
  await eventually(async () => {
    for await (const { offset } of readAll(connect(partner), feed.name, { groupId: `${slug}.ready` })) void offset;
  });
});
afterEach(async () => {
  for (const tail of running.splice(0)) await tail.stop();
});

const meta = () => ({ id: newEventId(), time: new Date() });
const record = (subject: string, version: number, companyName?: string): WireMessage => {
  const attributes: DataOf<typeof feedRecord>['attributes'] =
    companyName === undefined
      ? {}
      : {
          companyName: {
            value: companyName,
            purposes: [{ purpose: 'recommendation', ground: 'permission' }],
            opening: 'AA',
          },
        };
  return encodeEvent(feedRecord, { ...feedRecord.example, subject, version, attributes }, meta(), slug);
};
const withdrawal = (subject: string, version: number, obligation: string): WireMessage =>
  encodeEvent(withdrawalDue, { ...withdrawalDue.example, subject, version, obligation }, meta(), slug);

async function run(): Promise<{ tail: Tail; lines: string[] }> {
  const { feed, duties } = topicsOfRecipient(slug);
  const lines: string[] = [];
  const tail = new Tail(
    { slug, file, kafka: partner, topics: { feed: feed.name, duties: duties.name } },
    plain,
    (line) => lines.push(line),
  );
  running.push(tail);
  await tail.catchUp();
  return { tail, lines };
}
const copy = async (): Promise<CopyFile> => JSON.parse(await readFile(file, 'utf8')) as CopyFile;
async function confirmations(): Promise<string[]> {
  const obligations: string[] = [];
  for await (const message of readAll(kafka, topicsOfRecipient(slug).replies.name)) {
    expect(message.headers['ce_type']?.toString()).toBe(withdrawalConfirmed.type);
    obligations.push((JSON.parse(message.value?.toString() ?? '') as { obligation: string }).obligation);
  }
  return obligations;
}

describe("a partner's side", () => {
  it('keeps what the feed says, with the rights of a partner', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    const tick = feedTick(topicsOfRecipient(slug).feed.name, 0);
    await producer.send([
      record(one, 1, 'First Ltd'),
      record(one, 2, 'First and Sons Ltd'),
      record(two, 1, 'Second Ltd'),
      tick,
    ]);
    const { lines } = await run();
    const { subjects } = await copy();
    expect(subjects[one]).toMatchObject({ version: 2, attributes: { companyName: { value: 'First and Sons Ltd' } } });
    expect(subjects[two]?.attributes.companyName?.value).toBe('Second Ltd');
    expect(lines.join('\n')).toContain('+ Second Ltd');
    expect(lines.join('\n')).not.toContain('not understood');
  });

  it('forgets on disk and confirms, once, also when it is run again', async () => {
    const [subject, obligation] = [randomUUID(), randomUUID()];
    await producer.send([record(subject, 1, 'Gone Ltd'), withdrawal(subject, 2, obligation), record(subject, 2)]);
    await run();
    await run();
    expect((await readFile(file, 'utf8')).includes('Gone Ltd')).toBe(false);
    expect(await confirmations()).toEqual([obligation]);
  });

  it('follows live, and does not go back in versions', async () => {
    const subject = randomUUID();
    await producer.send([record(subject, 5, 'Live Ltd')]);
    const { tail } = await run();
    await tail.follow((error) => {
      throw error;
    });
    const marker = randomUUID();
    // On one partition, so that the marker comes last.
    const late = [record(subject, 4, 'Old Ltd'), record(marker, 1, 'Marker Ltd')];
    await producer.send(late.map((one) => ({ ...one, partition: 0 })));
    await eventually(async () => expect((await copy()).subjects[marker]).toBeDefined());
    expect((await copy()).subjects[subject]).toMatchObject({
      version: 5,
      attributes: { companyName: { value: 'Live Ltd' } },
    });

    const obligation = randomUUID();
    await producer.send([record(subject, 6), withdrawal(subject, 6, obligation)]);
    await eventually(async () => {
      expect((await copy()).subjects[subject]).toBeUndefined();
      expect((await copy()).confirmed[obligation]).toBeDefined();
    });
    expect(await confirmations()).toEqual([obligation]);
  });

  it('forgets on a deletion', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    await producer.send([record(one, 1, 'First Ltd'), record(two, 1, 'Second Ltd')]);
    await run();
    await producer.send([encodeTombstone(feedRecord, one, meta(), slug)]);
    await run();
    expect(Object.keys((await copy()).subjects)).toEqual([two]);
  });

  it('asks for its records anew, of all or of one subject', async () => {
    const subject = randomUUID();
    await askForResync({ slug, kafka: partner });
    await askForResync({ slug, kafka: partner }, subject);
    const asked: unknown[] = [];
    for await (const message of readAll(kafka, topicsOfRecipient(slug).replies.name)) {
      const decoded = decodeMessage(message, [resyncRequested]);
      asked.push(decoded.ok && { key: decoded.event.key, ...(decoded.event.data as object) });
    }
    const at = expect.any(String) as string;
    expect(asked).toHaveLength(2);
    expect(asked).toContainEqual({ key: '*', at });
    expect(asked).toContainEqual({ key: subject, subject, at });
    await expect(askForResync({ slug, kafka: partner }, 'Acme')).rejects.toThrow(/is not the id of a subject/);
  });

  it("does not take another partner's file for its own", async () => {
    await run();
    const mine = file;
    const other = new Tail(
      { slug: 'other', file: mine, kafka: partner, topics: { feed: 'x', duties: 'y' } },
      plain,
      () => undefined,
    );
    running.push(other);
    await expect(other.catchUp()).rejects.toThrow(/not a copy of other's/);
  });
});

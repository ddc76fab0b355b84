import { randomUUID } from 'node:crypto';
import { newEventId, replies, withdrawalConfirmed } from '@castiron/contracts';
import { NoRoom, Poison, Retryable } from '@castiron/failures';
import { type Kafka } from '@castiron/kafka';
import { eventually, uniqueSlug, freshDatabase } from '@castiron/testing';
import { EntityManager } from 'typeorm';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { subscribe, type SubscriptionOptions } from './index.js';
import { event, idOf, replyOf, upTo } from './testing/inbox.rig.js';
import { kafka, migrations, rigOfFile } from './testing/rig-of-file.js';

const within = { within: 20_000 };
const DAY_MS = 86_400_000;
const rig = rigOfFile(await freshDatabase(migrations));

interface Recipient {
  readonly slug: string;
  /** Of its replies; with one partition, so that they have one order. */
  readonly topic: string;
}

async function newRecipient(): Promise<Recipient> {
  const slug = uniqueSlug();
  const topic = { ...replies.of(slug), partitions: 1 };
  await rig.admin.createTopics([topic]);
  return { slug, topic: topic.name };
}

type Handle = SubscriptionOptions<typeof withdrawalConfirmed>['handle'];
const settling = (handle: Handle) => subscribe(withdrawalConfirmed, { overtakes: true, handle });

/**
 * Begins to read a recipient's replies beside a topic of ours.
 * @returns sends an event on ours, and resolves once it is handled
 */
async function readBesideOurs({ topic }: Recipient, handle: Handle, name: string): Promise<() => Promise<void>> {
  const ours = await rig.newEvent();
  const subscriptions = [settling(handle), rig.counting(ours.contract, ours.topic)];
  await rig.inboxOf({ name, topics: [topic, ours.topic], subscriptions }).start();
  return async () => {
    await rig.producer.send([event(ours.contract, 'a', 1)]);
    await eventually(async () => expect(await rig.effects(ours.topic, 'a')).toEqual([1]), within);
  };
}

/** @param begins is told where each batch begins */
const seenThrough = (begins: number[]): Kafka => ({
  ...kafka,
  consumer: (options) =>
    kafka.consumer({
      ...options,
      onBatch(batch) {
        const [first] = batch.messages;
        begins.push(Number(first?.offset));
        return options.onBatch(batch);
      },
    }),
});

describe('what a recipient sends', () => {
  it('costs few statements, however much of it comes beyond what is kept', async () => {
    const { topic } = await newRecipient();
    const query = vi.spyOn(EntityManager.prototype, 'query');
    onTestFinished(() => query.mockRestore());
    const ignoring = subscribe(withdrawalConfirmed, { handle: () => Promise.resolve() });
    const beyond = 3_000;
    await rig.producer.send(upTo(beyond).map(() => ({ topic, key: '', value: '', headers: {} })));
    await rig.inboxOf({ topics: [topic], subscriptions: [ignoring], mostOfARecipient: { messages: 0 } }).start();
    await eventually(async () => {
      const [counted] = await rig.dataSource.query<[{ n: number }]>(
        'SELECT sum(messages)::int AS n FROM parked_messages WHERE topic = $1',
        [topic],
      );
      expect(counted.n).toBe(beyond);
    }, within);
    const about = query.mock.calls.filter(([, parameters]) => (parameters as unknown[] | undefined)?.includes(topic));
    expect(about.length).toBeLessThan(60);
  });

  it('is kept up to a size, however few messages that is, and only counted beyond', async () => {
    const { topic } = await newRecipient();
    const ignoring = subscribe(withdrawalConfirmed, { handle: () => Promise.resolve() });
    const broken = { topic, key: '', value: 'x'.repeat(100_000), headers: {} };
    const most = { bytes: 250_000 };
    await rig.producer.send([broken, broken]);
    await rig.inboxOf({ topics: [topic], subscriptions: [ignoring], mostOfARecipient: most }).start();
    await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(2), within);
    await rig.producer.send([broken, broken, broken]);
    const [kept, counted] = [{ state: 'parked' }, { state: 'discarded', ended: 'too-many' }];
    await eventually(async () => expect(await rig.parked(topic)).toMatchObject([kept, kept, kept, counted]), within);
  });

  it('locks nothing that is parked under the key of what overtakes it, however much that is', async () => {
    const { slug, topic } = await newRecipient();
    const query = vi.spyOn(EntityManager.prototype, 'query');
    onTestFinished(() => query.mockRestore());
    const unknown = settling(() => Promise.reject(new Poison('of-no-use')));
    await rig.inboxOf({ topics: [topic], subscriptions: [unknown] }).start();
    for (const parked of [20, 40]) {
      await rig.producer.send(upTo(20).map(() => replyOf(slug)));
      await eventually(async () => expect(await rig.reasons(topic)).toHaveLength(parked), within);
    }
    const locking = query.mock.calls.filter(
      ([text, parameters]) => text.includes('FOR SHARE') && (parameters as unknown[]).includes(topic),
    );
    expect(locking).toEqual([]);
  });

  it('keeps others waiting for some seconds at most, however much of it takes long, and is done once', async () => {
    const recipient = await newRecipient();
    const { slug, topic } = recipient;
    const [name, total] = [`flood-${slug}`, 1_500];
    const begun = new Set<string>();
    const handle: Handle = async ({ meta }, { manager }) => {
      begun.add(meta.id);
      await manager.query('SELECT pg_sleep(0.01)');
      throw new Poison('of-no-use');
    };
    await rig.producer.send(upTo(total).map(() => replyOf(slug)));
    const oursIsHandled = await readBesideOurs(recipient, handle, name);
    await eventually(() => expect(begun.size).toBeGreaterThan(0), within);
    await oursIsHandled();
    expect(begun.size).toBeLessThan(total);

    // Up to where it was put off it is committed: whoever goes on begins behind that, and does nothing of it again.
    await rig.stopInboxes();
    begun.clear();
    const done = await rig.dataSource.query<{ id: string; offset: number }[]>(
      `SELECT event_id AS id, split_part(split_part(position, '/', 2), '@', 1)::int AS offset
       FROM parked_messages WHERE topic = $1`,
      [topic],
    );
    const begins: number[] = [];
    const goingOn = { name, topics: [topic], subscriptions: [settling(handle)], kafka: seenThrough(begins) };
    await rig.inboxOf(goingOn).start();
    await eventually(() => expect(begun.size).toBeGreaterThan(0), within);
    const [from = 0] = begins;
    expect(from).toBeGreaterThan(0);
    expect(done.filter(({ offset }) => offset < from)).toHaveLength(from);
    expect(done.filter(({ id }) => begun.has(id))).toEqual([]);
  }, 60_000);

  it('keeps nobody waiting where it waits for what may pass, though nothing of it is done yet', async () => {
    const recipient = await newRecipient();
    let isLocked = true;
    const handle = vi.fn<Handle>(() => (isLocked ? Promise.reject(new Retryable('locked')) : Promise.resolve()));
    await rig.producer.send([replyOf(recipient.slug)]);
    const oursIsHandled = await readBesideOurs(recipient, handle, `locked-${recipient.slug}`);
    await eventually(() => expect(handle).toHaveBeenCalled(), within);
    await oursIsHandled();
    handle.mockClear();
    isLocked = false;
    await eventually(() => expect(handle).toHaveBeenCalledOnce(), within);
    expect(await rig.reasons(recipient.topic)).toEqual([]);
  });

  it('keeps others waiting no longer where its first message waits for room, and is done once', async () => {
    const recipient = await newRecipient();
    const sent = upTo(700).map(() => replyOf(recipient.slug));
    const adding = sent[0]?.headers['ce_id'];
    let isFull = true;
    const handled: string[] = [];
    const handle: Handle = async ({ meta }, { manager }) => {
      if (isFull && meta.id === adding) throw new NoRoom('full');
      handled.push(meta.id);
      await manager.query('SELECT pg_sleep(0.01)');
    };
    await rig.producer.send(sent);
    const oursIsHandled = await readBesideOurs(recipient, handle, `full-${recipient.slug}`);
    await eventually(() => expect(handled).not.toEqual([]), within);
    await oursIsHandled();
    expect(handled.length).toBeLessThan(sent.length - 1);
    await eventually(() => expect(handled).toHaveLength(sent.length - 1), within);
    isFull = false;
    await eventually(() => expect(handled).toHaveLength(sent.length), within);
    expect(new Set(handled).size).toBe(sent.length);
  }, 60_000);

  it('is parked where its id is of no time, remembered nowhere, and handled where somebody says so', async () => {
    const { slug, topic } = await newRecipient();
    const ours = await rig.newEvent();
    const handle = vi.fn<Handle>(() => Promise.resolve());
    const inbox = rig.inboxOf({
      topics: [topic, ours.topic],
      subscriptions: [settling(handle), rig.counting(ours.contract, ours.topic)],
    });
    const now = Date.now();
    const last = 'ffffffff-ffff-7fff-bfff-ffffffffffff';
    const untimely = [randomUUID(), last, idOf(now - 38 * DAY_MS), idOf(now + 2 * DAY_MS)];
    const timely = [newEventId(), idOf(now - 30 * DAY_MS)];
    const own = event(ours.contract, 'a', 1);
    await rig.producer.send([
      ...[...untimely, ...timely].map((id) => replyOf(slug, id)),
      { ...own, headers: { ...own.headers, ce_id: randomUUID() } },
    ]);
    await inbox.start();
    await eventually(async () => {
      expect(await rig.reasons(topic)).toEqual(untimely.map(() => 'untimely-id'));
      expect(handle).toHaveBeenCalledTimes(timely.length);
      expect(await rig.effects(ours.topic, 'a')).toEqual([1]);
    }, within);
    expect(await rig.dataSource.query<unknown[]>('SELECT FROM inbox_rest WHERE topic = $1', [topic])).toEqual([]);
    expect(await rig.replay(inbox, { topic })).toEqual({ handled: untimely.length });
    expect(handle).toHaveBeenCalledTimes(timely.length + untimely.length);
  });
});

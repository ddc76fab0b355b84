import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { replies, withdrawalConfirmed } from '@castiron/contracts';
import { sendCompressed } from '@castiron/kafka/testing';
import { forgedBatch, sendForged } from '@castiron/kafka/testing/forged-batch';
import { eventually, uniqueSlug, freshDatabase } from '@castiron/testing';
import { describe, expect, it, vi } from 'vitest';
import { subscribe } from './index.js';
import { CALLED_LIKE_OTHERS, HOSTILE } from './testing/hostile-messages.js';
import { event, replyOf, type Counted } from './testing/inbox.rig.js';
import { settings, migrations, rigOfFile } from './testing/rig-of-file.js';

const within = { within: 25_000 };
const rig = rigOfFile(await freshDatabase(migrations));

describe('a message', () => {
  const received = (contract: Counted, topic: string) => ({
    topics: [topic],
    subscriptions: [rig.counting(contract, topic)],
  });

  it.each(Object.entries(HOSTILE))('%s is parked while its neighbours pass', async (_, { reason, of }) => {
    const { contract, topic } = await rig.newEvent();
    const hostile = event(contract, 'a', 0);
    await rig.inboxOf(received(contract, topic)).start();
    await sendCompressed(settings, 'gzip', [
      event(contract, 'a', 1),
      { ...hostile, ...of(hostile) },
      event(contract, 'b', 2),
    ]);
    await rig.producer.send([event(contract, 'b', 3)]);
    await eventually(async () => {
      expect(await rig.reasons(topic)).toEqual([reason]);
      expect([await rig.effects(topic, 'a'), await rig.effects(topic, 'b')]).toEqual([[1], [2, 3]]);
    }, within);
  });

  it('with headers that are called like what every object has is handled like any other', async () => {
    const { contract, topic } = await rig.newEvent();
    await rig.inboxOf(received(contract, topic)).start();
    const good = event(contract, 'a', 1);
    await sendCompressed(settings, 'gzip', [{ ...good, headers: { ...good.headers, ...CALLED_LIKE_OTHERS } }]);
    await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual([1]), within);
    expect(await rig.reasons(topic)).toEqual([]);
  });

  it('compressed by LZ4 is handled like any other: the broker packs it anew', async () => {
    const { contract, topic } = await rig.newEvent();
    await rig.inboxOf(received(contract, topic)).start();
    await sendCompressed(settings, 'lz4', [event(contract, 'a', 1), { ...event(contract, 'a', 0), value: 'no JSON' }]);
    await rig.producer.send([event(contract, 'a', 2)]);
    await eventually(async () => expect(await rig.effects(topic, 'a')).toEqual([1, 2]), within);
    expect(await rig.reasons(topic)).toEqual(['bad-json']);
  });

  it('that unpacks to 60 MB costs no 60 MB: its size, a hash and a prefix are kept', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const { contract, topic } = await rig.newEvent();
    await sendCompressed(settings, 'gzip', [
      { ...event(contract, 'a', 0), value: Buffer.alloc(60_000_000, 0x20) },
      event(contract, 'b', 1),
    ]);
    collect();
    const before = process.memoryUsage();
    let most = 0;
    const watch = setInterval(() => {
      const { external, heapUsed } = process.memoryUsage();
      most = Math.max(most, external + heapUsed - before.external - before.heapUsed);
    }, 5);
    await rig.inboxOf(received(contract, topic)).start();
    await eventually(async () => {
      expect(await rig.reasons(topic)).toEqual(['oversized']);
      expect(await rig.effects(topic, 'b')).toEqual([1]);
    }, within);
    clearInterval(watch);
    const [row] = await rig.parked(topic);
    expect(row?.sealed?.length).toBeLessThan(64 * 1024);
    // The client unpacks it, and gathers the pieces: that is twice its size, and all there is.
    expect(most).toBeLessThan(2.5 * 60_000_000);
  });
});

/** On the topic of a recipient, whose records the broker takes as they are. */
describe('a batch in which', () => {
  it.each([
    // More than are arguments of a call, and each fetched again for each of them if they were believed.
    ['149,000 records claim to be the first', 149_000, { key: null, value: null, place: 0 }],
    ['one record claims to be far behind the end', 1, { key: null, value: null, place: 2 ** 31 - 1 }],
    // Gone back by, its key would say that there are two thousand million headers.
    ['a value has a length of -6', 1, Buffer.from('0000000afeffffff0f0b00', 'hex')],
  ])('%s is passed like any other', async (_, count, record) => {
    const slug = uniqueSlug();
    const topic = { ...replies.of(slug), partitions: 1 };
    await rig.admin.createTopics([topic]);
    const handle = vi.fn(() => Promise.resolve());
    const counting = subscribe(withdrawalConfirmed, { handle });
    const counted = async (): Promise<number> => {
      const [row] = await rig.dataSource.query<[{ n: number }]>(
        'SELECT coalesce(sum(messages), 0)::int AS n FROM parked_messages WHERE topic = $1',
        [topic.name],
      );
      return row.n;
    };
    const remembered = () => rig.dataSource.query<unknown[]>('SELECT FROM inbox WHERE topic = $1', [topic.name]);
    const forged = forgedBatch(Array.from({ length: count }, () => record));
    await sendForged(settings, topic.name, forged);
    await rig.inboxOf({ topics: [topic.name], subscriptions: [counting], mostOfARecipient: { messages: 0 } }).start();
    await eventually(async () => expect(await counted()).toBe(count), within);
    // These stand where its reader went on.
    for (const n of [1, 2]) {
      await rig.producer.send([replyOf(slug)]);
      // Committed, with all that came along with it.
      await eventually(async () => expect(await remembered()).toHaveLength(n), within);
      expect(handle).toHaveBeenCalledTimes(n);
    }
    expect(await counted()).toBe(count);
  });
});

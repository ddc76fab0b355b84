import { randomUUID } from 'node:crypto';
import { FEED_TICK_TYPE, feeds, typeOf } from '@castiron/contracts';
import { connect, readAll } from '@castiron/kafka';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { ACME, sharingMigrations, SharingRig } from '../testing/sharing.rig.js';
import { FeedTicker } from './feed-ticker.js';

const { bootstrap, principals } = inject('stack').kafka;
const { username = '', password = '' } = principals['admin'] ?? {};
const kafkaAt = (broker: string) => connect({ brokers: [broker], clientId: 'spec', username, password });
const kafka = kafkaAt(bootstrap);
const admin = kafka.admin();

/** A sixtieth of what the topic's contract says. */
const SEGMENT_MS = 10_000;

/** A rig with one partner, whose feed has these settings on top of its own. */
async function rigWithPartner(name: string, settings: Record<string, string> = {}) {
  const rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, name);
  const partner = uniqueSlug();
  const feed = feeds.of(partner);
  await admin.createTopics([{ ...feed, config: { ...feed.config, ...settings } }]);
  await rig.partner(partner, [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }]);
  return { rig, partner, feed: feed.name };
}
type RigWithPartner = Awaited<ReturnType<typeof rigWithPartner>>;

/** A customer permits, and what it gave stands on the feed. */
async function disclosed({ rig, partner }: RigWithPartner, companyName: string): Promise<string> {
  const customer = randomUUID();
  await rig.profile(customer, 1, { ...ACME, companyName });
  await rig.permit(customer, partner);
  await eventually(async () => expect(await rig.versionOf(customer, partner)).toBe(1));
  return customer;
}

/** Ticks by partition. */
async function ticksOn(feed: string): Promise<number[]> {
  const ticks = (await admin.endOffsets(feed)).map(() => 0);
  for await (const message of readAll(kafka, feed)) {
    if (typeOf(message) === FEED_TICK_TYPE) ticks[message.partition] = (ticks[message.partition] ?? 0) + 1;
  }
  return ticks;
}

const opened: RigWithPartner[] = [];
const opening = async (...given: Parameters<typeof rigWithPartner>): Promise<RigWithPartner> => {
  const one = await rigWithPartner(...given);
  opened.push(one);
  return one;
};
afterAll(async () => {
  for (const { rig } of opened) await rig.end();
  await admin.close();
});

describe('a value that was withdrawn, on a partition that gets nothing afterwards', () => {
  const settings = { 'segment.ms': String(SEGMENT_MS), 'max.compaction.lag.ms': String(SEGMENT_MS) };
  /** The broker cleans every five seconds, and what is to be seen is that it does. */
  const within = 150_000;

  it(
    'cannot be read by anyone soon after, and without ticks it can',
    async () => {
      const ticked = await opening('compaction-spec', settings);
      const left = await opening('no-ticks-spec', settings);
      const name = `Gone ${randomUUID()}`;
      for (const one of [left, ticked]) {
        const customer = await disclosed(one, name);
        expect(await one.rig.revoke(customer, one.partner)).toBe(true);
        await eventually(async () => expect(await one.rig.versionOf(customer, one.partner)).toBe(2));
        // Nor does anybody take its lanes over.
        await one.rig.stop();
      }
      const isReadable = async (feed: string): Promise<boolean> => {
        let found = false;
        for await (const { value } of readAll(kafka, feed, { uncommitted: true })) {
          found ||= value?.includes(name) === true;
        }
        return found;
      };
      expect(await isReadable(ticked.feed)).toBe(true);
      const ticker = new FeedTicker(ticked.rig.database, kafka, SEGMENT_MS);
      await eventually(
        async () => {
          await ticker.round();
          expect(await isReadable(ticked.feed)).toBe(false);
        },
        { within },
      );
      // It was written first, and its withdrawal too.
      expect(await isReadable(left.feed)).toBe(true);
    },
    within + 30_000,
  );
});

describe('a feed', () => {
  let one: RigWithPartner;
  let ticker: FeedTicker;
  beforeAll(async () => {
    one = await opening('ticks-spec');
    ticker = new FeedTicker(one.rig.database, kafka);
  });
  /** All that was due has been sent. */
  beforeEach(() => one.rig.database.query('UPDATE feed_ticks SET ticks_left = 0, due_at = NULL'));

  /** The time of a tick has come. @returns whether the feed waited for one */
  async function dueNow(): Promise<boolean> {
    const [, count]: [unknown[], number] = await one.rig.database.query(
      'UPDATE feed_ticks SET due_at = clock_timestamp() WHERE due_at IS NOT NULL',
    );
    return count > 0;
  }

  it('gets three ticks on each partition after its last record, whoever is there to send them, and rests then', async () => {
    const before = await ticksOn(one.feed);
    await disclosed(one, 'Acme');
    await ticker.round();
    expect(await ticksOn(one.feed)).toEqual(before);
    for (let round = 0; round < 3; round += 1) {
      expect(await dueNow()).toBe(true);
      // Whoever saw the record is gone.
      await new FeedTicker(one.rig.database, kafka).round();
    }
    expect(await dueNow()).toBe(false);
    await ticker.round();
    expect(await ticksOn(one.feed)).toEqual(before.map((ticks) => ticks + 3));
  });

  it('is ticked in time while it is written to: a partition of it may get nothing', async () => {
    const before = await ticksOn(one.feed);
    await disclosed(one, 'Acme');
    await ticker.round();
    for (let round = 1; round <= 4; round += 1) {
      await dueNow();
      await disclosed(one, 'Acme');
      await ticker.round();
      expect(await ticksOn(one.feed)).toEqual(before.map((ticks) => ticks + round));
    }
  });

  it('gets each tick once where several processes send them', async () => {
    const before = await ticksOn(one.feed);
    await disclosed(one, 'Acme');
    await ticker.round();
    await dueNow();
    await Promise.all([1, 2, 3].map(() => new FeedTicker(one.rig.database, kafka).round()));
    expect(await ticksOn(one.feed)).toEqual(before.map((ticks) => ticks + 1));
  });

  it('gets all three though one could not be sent', async () => {
    const before = await ticksOn(one.feed);
    await disclosed(one, 'Acme');
    // A tenth of it is over before the next try.
    const everyMs = 1_000;
    const away = new FeedTicker(one.rig.database, kafkaAt('127.0.0.1:1'), everyMs);
    await away.round();
    await dueNow();
    await expect(away.round()).rejects.toThrow();
    await eventually(async () => {
      await new FeedTicker(one.rig.database, kafka, everyMs).round();
      expect(await dueNow()).toBe(false);
    });
    expect(await ticksOn(one.feed)).toEqual(before.map((ticks) => ticks + 3));
  });

  it('gets no tick too late because the clock of the database was set back', async () => {
    const before = await ticksOn(one.feed);
    await disclosed(one, 'Acme');
    await ticker.round();
    await one.rig.database.query(`UPDATE feed_ticks SET due_at = clock_timestamp() + interval '1 day'`);
    await ticker.round();
    expect(await ticksOn(one.feed)).toEqual(before.map((ticks) => ticks + 1));
  });
});

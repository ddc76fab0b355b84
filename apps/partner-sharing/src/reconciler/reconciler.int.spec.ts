import { randomUUID } from 'node:crypto';
import { FEED_TICK_TYPE, feedTick, topicsOfRecipient, type WireMessage } from '@castiron/contracts';
import { connect } from '@castiron/kafka';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { outboxMigrations } from '@castiron/outbox';
import type { DataSource, EntityManager } from 'typeorm';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { closeIncident } from '../incidents/incident.table.js';
import { FeedRig, type Made } from '../testing/feed.rig.js';
import { ACME, SharingRig } from '../testing/sharing.rig.js';
import type { FeedReader } from './feed-reader.js';
import { forgetNotes } from './forget-notes.js';

const { bootstrap, principals } = inject('stack').kafka;
const broker = connect({ brokers: [bootstrap], clientId: 'spec', ...principals['admin']! });

let sharing: SharingRig;
let rig: FeedRig;
let reader: FeedReader;

beforeAll(async () => {
  const database = await freshDatabase([...migrations, ...outboxMigrations]);
  sharing = new SharingRig(database, inject('stack').kafka, 'reconciler-spec');
  rig = new FeedRig(database, inject('stack').kafka);
  await sharing.publishStatement();
  reader = await rig.reader();
});
afterAll(() => rig?.stop());

const GROUNDLESS = 'disclosure-without-a-ground';

/** A recipient whose feed is read. */
async function newRecipient(): Promise<string> {
  const slug = uniqueSlug();
  await sharing.register({ slug, name: 'Northern Hosting', kind: 'network-member' });
  await reader.look();
  return slug;
}

/** Everything that was written there has been noted. */
const readTo = (recipient: string, offset: number) =>
  eventually(async () => expect(await rig.position(recipient)).toBe(offset), { within: 25_000 });

async function restart(groupId = rig.groupId): Promise<void> {
  await reader.stop();
  reader = await rig.reader({ groupId });
}

const isNoted = async ({ draft }: Made): Promise<boolean> => {
  const rows: unknown[] = await rig.database.query('SELECT 1 FROM noted_records WHERE entry = $1', [draft.id]);
  return rows.length > 0;
};
const isAwaited = async ({ draft }: Made): Promise<boolean> => {
  const rows: unknown[] = await rig.database.query('SELECT 1 FROM awaited_records WHERE entry = $1', [draft.id]);
  return rows.length > 0;
};

describe('what stands on a feed', () => {
  it('is noted where an entry stands behind it, tombstones too, and ticks are passed over', async () => {
    // One that registers while others are read.
    await newRecipient();
    const recipient = await newRecipient();
    const share = await rig.share(recipient);
    const topic = topicsOfRecipient(recipient).feed.name;
    const made = [
      await rig.make(share, 1),
      await rig.make(share, 2, '', 'withdrawn'),
      await rig.make(share, 3, '', 'tombstone'),
    ];
    await rig.write(...made.map(({ message }) => message), feedTick(topic, 0));
    await readTo(recipient, 4);
    for (const one of made) expect(await isNoted(one)).toBe(true);
    await rig.reconcile();
    for (const one of made) expect(await isAwaited(one)).toBe(false);
    expect(await rig.counted(recipient)).toEqual({
      records: 3,
      duplicates: 0,
      groundless: 0,
      fallen: 0,
      unobserved: 0,
    });
  });

  it('and was written with stolen credentials is an incident within seconds, one for each record, and for good', async () => {
    const [recipient, other] = [await newRecipient(), await newRecipient()];
    const topic = topicsOfRecipient(recipient).feed.name;
    const share = await rig.share(recipient);
    const [real, foreign, aborted] = [
      await rig.make(share, 1),
      await rig.make(await rig.share(other), 1),
      await rig.make(share, 2),
    ];
    await rig.abort(aborted, 'no');
    const { message } = real;
    const changed = (from: string, to: string): WireMessage => ({
      ...message,
      value: message.value!.replace(from, to),
    });
    const headers = (over: Record<string, string>): WireMessage => ({
      ...message,
      headers: { ...message.headers, ...over },
    });
    const written: [WireMessage, RegExp][] = [
      [{ topic, key: 'k', value: 'anything', headers: {} }, /no record \(missing-headers\)/],
      [{ ...message, value: 'no json' }, /no record \(bad-json\)/],
      [headers({ ce_type: 'feeds.other.v1' }), /no record \(unknown-type\)/],
      [{ ...feedTick(topic, 0), value: 'hidden' }, /of the type of ticks/],
      [{ topic, key: share.subject, value: null, headers: { ce_type: FEED_TICK_TYPE } }, /of the type of ticks/],
      [headers({ ce_ledgerentry: randomUUID() }), /names two entries/],
      [{ ...message, value: null }, /not of a tombstone/],
      [
        { ...message, value: null, headers: { ...message.headers, ce_ledgerentry: randomUUID() } },
        /no entry as it names/,
      ],
      [{ ...foreign.message, topic }, /of another recipient/],
      [headers({ ce_id: randomUUID() }), /of another record/],
      [changed('"version":1', '"version":2'), /another version/],
      [changed('Acme', 'Other'), /does not open its entry \(companyName/],
      [
        {
          ...message,
          key: foreign.share.subject,
          value: message.value!.replaceAll(share.subject, foreign.share.subject),
        },
        /of another subject/,
      ],
      [aborted.message, /aborted before it was sent/],
    ];
    const began = Date.now();
    await rig.write(...written.map(([one]) => ({ ...one, partition: 0 })));
    await readTo(recipient, written.length);
    expect(Date.now() - began).toBeLessThan(15_000);
    const causes = await rig.incidents(recipient, GROUNDLESS);
    const causeAt = (offset: number) =>
      causes.filter((cause) => cause.startsWith(`${topic}, partition 0, offset ${offset}: `));
    for (const [offset, [, why]] of written.entries()) expect(causeAt(offset)).toEqual([expect.stringMatching(why)]);
    // No personal data.
    expect(causes.join()).not.toMatch(
      new RegExp(`${share.subject}|${foreign.share.subject}|Acme|Other|anything|hidden`),
    );

    const [open]: { id: string; owner: string }[] = await rig.database.query(
      'SELECT id, owner FROM incidents WHERE cause = $1',
      [causes[0]],
    );
    expect(open?.owner).toBe('privacy-officer');
    await closeIncident(rig.database.manager, { id: open!.id, by: 'officer-1', reason: 'It was a rehearsal.' });
    // A replica of a new group reads all of it anew, as one does whose group was tampered with.
    await restart(`${rig.groupId}-anew`);
    await rig.write(message);
    await readTo(recipient, written.length + 1);
    expect(await rig.incidents(recipient, GROUNDLESS)).toEqual(causes);
    expect(await rig.counted(recipient)).toMatchObject({ records: 1, groundless: written.length });
    // Nor are they other ones where all of the feed is read anew.
    await reader.stop();
    await rig.database.query('UPDATE feed_positions SET next_offset = 0 WHERE topic = $1', [topic]);
    reader = await rig.reader();
    await rig.write(feedTick(topic, 0));
    await readTo(recipient, written.length + 2);
    expect(await rig.incidents(recipient, GROUNDLESS)).toEqual(causes);
  });

  it('although its entry was aborted before it was sent is an incident, also where that was said later; not where it may stand', async () => {
    const recipient = await newRecipient();
    const share = await rig.share(recipient);
    const [no, maybe] = [await rig.make(share, 1), await rig.make(share, 2)];
    await rig.write(no.message, maybe.message);
    await readTo(recipient, 2);
    await rig.abort(no, 'no');
    await rig.abort(maybe, 'maybe');
    await rig.reconcile();
    await rig.reconcile();
    expect(await rig.incidents(recipient, GROUNDLESS)).toEqual([expect.stringMatching(/offset 0: .* aborted/)]);
    expect(await rig.incidents(recipient, 'record-missing')).toEqual([]);
  });

  it('twice, byte by byte, is counted and no incident; with other bytes it is one', async () => {
    const recipient = await newRecipient();
    const [first, second] = [
      await rig.make(await rig.share(recipient), 1),
      await rig.make(await rig.share(recipient), 1),
    ];
    await rig.write(first.message, second.message, first.message, first.message);
    await readTo(recipient, 4);
    expect(await rig.counted(recipient)).toMatchObject({ records: 2, duplicates: 2, groundless: 0, fallen: 0 });
    expect(await rig.incidents(recipient, GROUNDLESS)).toEqual([]);
    const { message } = first;
    await rig.write({ ...message, value: message.value!.replace('"mailing":"stopped"', '"mailing":"allowed"') });
    await readTo(recipient, 5);
    expect(await rig.incidents(recipient, GROUNDLESS)).toEqual([
      expect.stringMatching(/offset 4: another record was seen/),
    ]);
    expect(await rig.metrics.registry.getSingleMetricAsString('castiron_feed_records_total')).toMatch(
      /outcome="duplicate",service="partner-sharing"\} \d/,
    );
  });

  it('is known as a copy although its note was dropped', async () => {
    const recipient = await newRecipient();
    const made = await rig.make(await rig.share(recipient), 1);
    await rig.write(made.message);
    await readTo(recipient, 1);
    await rig.reconcile();
    await rig.database.query(`UPDATE noted_records SET noted_at = noted_at - interval '2 hours' WHERE entry = $1`, [
      made.draft.id,
    ]);
    expect(await forgetNotes(rig.database)).toBe(false);
    expect(await isNoted(made)).toBe(false);
    await rig.write(made.message);
    await readTo(recipient, 2);
    expect(await rig.counted(recipient)).toMatchObject({ records: 1, duplicates: 1 });
  });

  it('is kept in notes until its entry was compared', async () => {
    const recipient = await newRecipient();
    const made = await rig.make(await rig.share(recipient), 1);
    await rig.write(made.message);
    await readTo(recipient, 1);
    await rig.database.query(`UPDATE noted_records SET noted_at = noted_at - interval '2 hours' WHERE entry = $1`, [
      made.draft.id,
    ]);
    await forgetNotes(rig.database);
    expect(await isNoted(made)).toBe(true);
  });
});

describe('a version that falls', () => {
  it('is an incident, and what the recipient may hold is published anew behind it', async () => {
    const recipient = await newRecipient();
    await sharing.agree(recipient, [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }]);
    const customer = randomUUID();
    await sharing.profile(customer, 1, ACME);
    await sharing.start();
    try {
      await sharing.permit(customer, recipient);
      const version = (wanted: number) =>
        eventually(async () => expect(await sharing.versionOf(customer, recipient)).toBe(wanted), { within: 20_000 });
      await version(1);
      const [old] = await rig.feed(recipient);
      await sharing.revoke(customer, recipient);
      await version(2);
      const headers = Object.fromEntries(Object.entries(old!.headers).map(([name, value]) => [name, String(value)]));
      const { topic, partition } = old!;
      const copy = { topic, partition, key: String(old!.key), value: String(old!.value), headers };
      await rig.write(copy);
      await version(3);
      expect((await sharing.feedOf(customer, recipient)).at(-1)).toMatchObject({ version: 3, attributes: {} });
      expect(await rig.incidents(recipient, 'version-fell')).toEqual([
        expect.stringMatching(/version 1 stands behind/),
      ]);
      expect(await rig.counted(recipient)).toMatchObject({ fallen: 1, duplicates: 1, groundless: 0 });

      // A key that was gone from the feed goes once more.
      const share = await sharing.shareOf(customer, recipient);
      await rig.database.query(`UPDATE obligations SET state = 'expired' WHERE share = $1`, [share!.id]);
      await rig.database.query(
        `INSERT INTO pending_releases (lane, share, cause) VALUES ($1, $2, 'obligation-settled')`,
        [share!.lane, share!.id],
      );
      await version(4);
      await rig.write(copy);
      await version(5);
      expect((await sharing.feedOf(customer, recipient)).at(-1)).toBeNull();
      expect(await rig.incidents(recipient, 'version-fell')).toHaveLength(2);
    } finally {
      await sharing.stop();
    }
  }, 60_000);
});

describe('an entry', () => {
  it('that was sent and whose record is not on the feed is an incident, once', async () => {
    const recipient = await newRecipient();
    const share = await rig.share(recipient);
    const [missing, seen, sending, aborted] = [
      await rig.make(share, 1),
      await rig.make(await rig.share(recipient), 1),
      await rig.make(await rig.share(recipient), 1),
      await rig.make(await rig.share(recipient), 1),
    ];
    await rig.database.query(
      `INSERT INTO sending_records (share, lane, token, batch, entry, customer, agreement_epoch, customer_epoch, share_epoch, outcome)
       SELECT id, lane, 1, gen_random_uuid(), $2, customer, 0, 0, 0, '{}' FROM shares WHERE id = $1`,
      [sending.share.id, sending.draft.id],
    );
    await rig.write(seen.message);
    await readTo(recipient, 1);
    await rig.abort(aborted, 'maybe');
    for (let round = 0; round < 3; round += 1) await rig.reconcile();
    const causes = await rig.incidents(recipient, 'record-missing');
    expect(causes).toEqual([expect.stringContaining(missing.draft.id)]);
    expect(await isAwaited(sending)).toBe(true);
    expect(await isAwaited(aborted)).toBe(false);
    // Aborted in the end, it has no record to be missed.
    await rig.abort(sending, 'no');
    await rig.database.query('DELETE FROM sending_records WHERE entry = $1', [sending.draft.id]);
    await rig.findMissing();
    await rig.findMissing();
    for (let round = 0; round < 3; round += 1) await rig.reconcile();
    expect(await rig.incidents(recipient, 'record-missing')).toEqual(causes);
  });

  it('waits while its feed is not read to the end', async () => {
    const recipient = await newRecipient();
    await rig.write((await rig.make(await rig.share(recipient), 1)).message);
    await readTo(recipient, 1);
    await reader.stop();
    const made = await rig.make(await rig.share(recipient), 1);
    await rig.write(made.message);
    for (let round = 0; round < 3; round += 1) await rig.reconcile();
    expect(await isAwaited(made)).toBe(true);
    reader = await rig.reader();
    await readTo(recipient, 2);
    for (let round = 0; round < 3; round += 1) await rig.reconcile();
    expect(await isAwaited(made)).toBe(false);
    expect(await rig.incidents(recipient, 'record-missing')).toEqual([]);
  });
});

describe('offsets that cannot be seen', () => {
  it('as of records that were compacted before they were read are counted, and not taken for fine or for missing', async () => {
    const slug = uniqueSlug();
    const { feed } = topicsOfRecipient(slug);
    const config = { ...feed.config, 'segment.ms': '1', 'segment.bytes': '1048576', 'min.cleanable.dirty.ratio': '0' };
    const admin = broker.admin();
    await admin.createTopics([{ ...feed, config }]);
    await admin.close();
    await reader.stop();
    await sharing.register({ slug, name: 'Northern Hosting', kind: 'network-member' });
    const share = await rig.share(slug);
    const versions = [await rig.make(share, 1), await rig.make(share, 2), await rig.make(share, 3)];
    for (const { message } of versions) await rig.write(message);
    // Rolls the segment of what came before.
    await rig.write(feedTick(feed.name, 0));
    await eventually(async () => expect((await rig.feed(slug)).map(({ offset }) => offset)).toEqual(['2', '3']), {
      within: 50_000,
    });
    reader = await rig.reader();
    await readTo(slug, 4);
    expect(await rig.counted(slug)).toEqual({ records: 1, duplicates: 0, groundless: 0, fallen: 0, unobserved: 2 });
    for (let round = 0; round < 3; round += 1) await rig.reconcile();
    expect(await rig.incidents(slug, 'record-missing')).toEqual([]);
    const [compared]: { unobserved: string }[] = await rig.database.query('SELECT unobserved FROM compared_entries');
    expect(compared?.unobserved).toBe('2');
    const told = await rig.metrics.registry.getSingleMetricAsString('castiron_feed_offsets_unobserved_total');
    expect(told).toMatch(new RegExp(`topic="${feed.name}".* 2$`, 'm'));
  }, 90_000);

  it('of a feed that ends before what was read of it are counted, and it is read anew', async () => {
    const recipient = await newRecipient();
    const made = await rig.make(await rig.share(recipient), 1);
    const topic = topicsOfRecipient(recipient).feed.name;
    await rig.database.query('INSERT INTO feed_positions (topic, partition, next_offset) VALUES ($1, 0, 100)', [topic]);
    await rig.write(made.message);
    for (let round = 0; round < 2; round += 1) await rig.reconcile();
    await rig.write(feedTick(topic, 0));
    await readTo(recipient, 2);
    expect(await isNoted(made)).toBe(true);
    expect(await rig.counted(recipient)).toMatchObject({ records: 1, unobserved: 99 });
    expect(await rig.incidents(recipient, 'record-missing')).toEqual([]);
  });
});

describe('where a process ends', () => {
  /** Something happens to the transaction that notes this recipient's records. */
  function database(recipient: string, happens: 'before-commit' | 'after-commit'): DataSource {
    const { feed } = topicsOfRecipient(recipient);
    const dataSource = Object.create(rig.database) as DataSource;
    dataSource.transaction = (async (
      isolation: 'READ COMMITTED',
      work: (manager: EntityManager) => Promise<unknown>,
    ) => {
      let isOfIt = false;
      const result = await rig.database.transaction(isolation, async (manager) => {
        const done = await work(manager);
        const rows: unknown[] = await manager.query(
          'SELECT 1 FROM feed_positions WHERE topic = $1 AND next_offset > 0 AND xmin = pg_current_xact_id()::xid',
          [feed.name],
        );
        isOfIt = rows.length > 0;
        if (isOfIt && happens === 'before-commit') throw new Error('killed');
        return done;
      });
      if (isOfIt) throw new Error('killed');
      return result;
    }) as DataSource['transaction'];
    return dataSource;
  }

  it.each(['before-commit', 'after-commit'] as const)(
    '%s, nothing is lost and nothing counted twice',
    async (happens) => {
      const recipient = await newRecipient();
      await reader.stop();
      const made = await rig.make(await rig.share(recipient), 1);
      await rig.write(made.message, made.message, { ...made.message, value: '{}' });
      let isDead = false;
      const victim = await rig.reader({
        dataSource: database(recipient, happens),
        onCrash: () => void (isDead = true),
      });
      await eventually(() => isDead, { within: 20_000 });
      await victim.stop();
      expect(await rig.position(recipient)).toBe(happens === 'before-commit' ? 0 : 3);
      reader = await rig.reader();
      await rig.write(feedTick(topicsOfRecipient(recipient).feed.name, 0));
      await readTo(recipient, 4);
      expect(await rig.counted(recipient)).toEqual({
        records: 1,
        duplicates: 1,
        groundless: 1,
        fallen: 0,
        unobserved: 0,
      });
      expect(await rig.incidents(recipient, GROUNDLESS)).toHaveLength(1);
    },
  );

  it('its group may be ahead of its database, which has the say', async () => {
    const recipient = await newRecipient();
    const made = await rig.make(await rig.share(recipient), 1);
    await rig.write(made.message);
    await readTo(recipient, 1);
    await reader.stop();
    // As after a restore.
    for (const table of ['noted_records', 'last_records'])
      await rig.database.query(`DELETE FROM ${table} WHERE entry = $1`, [made.draft.id]);
    await rig.database.query('DELETE FROM feed_positions WHERE topic = $1', [topicsOfRecipient(recipient).feed.name]);
    reader = await rig.reader();
    await rig.write(feedTick(topicsOfRecipient(recipient).feed.name, 0));
    await readTo(recipient, 2);
    expect(await isNoted(made)).toBe(true);
    expect(await rig.counted(recipient)).toMatchObject({ records: 1, unobserved: 0 });
  });

  it('others read its feeds on', async () => {
    const recipient = await newRecipient();
    const other = await rig.reader();
    const share = await rig.share(recipient);
    await rig.write((await rig.make(share, 1)).message);
    await readTo(recipient, 1);
    await reader.stop();
    await rig.write((await rig.make(share, 2)).message);
    await readTo(recipient, 2);
    expect(await rig.counted(recipient)).toMatchObject({ records: 2, duplicates: 0, groundless: 0 });
    reader = other;
  });
});

import { randomUUID } from 'node:crypto';
import {
  afterRecord,
  afterTombstone,
  newEventId,
  NOTHING_HELD,
  replies,
  resyncRequested,
  type HeldCopy,
} from '@castiron/contracts';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { expireObligations } from '../obligations/expire-obligations/expire-obligations.js';
import { resyncWhenRequested } from '../replies/resync-when-requested.handler.js';
import { ACME, sharingMigrations, SharingRig } from '../testing/sharing.rig.js';
import { publishAnew } from './publish-anew/publish-anew.js';

let rig: SharingRig;
let partner: string;

beforeAll(async () => {
  rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, 'resyncs');
  await rig.registerNotifier();
});
afterAll(() => rig?.end());
beforeEach(async () => {
  partner = await newPartner();
});

async function newPartner(): Promise<string> {
  const slug = uniqueSlug();
  return rig.partner(slug, [{ purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' }]);
}

const quiet = () => eventually(() => rig.isQuiet());

async function permitted(recipient = partner): Promise<string> {
  const customer = randomUUID();
  await rig.profile(customer, 1, { ...ACME, companyName: `Acme ${customer}` });
  await rig.permit(customer, recipient);
  return customer;
}

async function subjectOf(customer: string, recipient = partner): Promise<string> {
  return (await rig.shareOf(customer, recipient))?.subject ?? '';
}

/** The recipient asks for all, or for one subject. */
function ask(recipient = partner, subject?: string): Promise<void> {
  const event = {
    contract: resyncRequested,
    topic: replies.of(recipient).name,
    key: subject ?? '*',
    data: { at: new Date().toISOString(), ...(subject !== undefined && { subject }) },
    meta: { id: newEventId(), time: new Date() },
  };
  return rig.transactions.run([], (tx) => resyncWhenRequested(rig.signals)(event, tx));
}

const chunk = (size = 2) => publishAnew(rig.transactions, rig.signals, size);

/** Chunk by chunk, until no resync is due. */
async function workOff(): Promise<void> {
  const due = () => rig.database.query<object[]>('SELECT FROM resyncs WHERE due_at <= clock_timestamp()');
  while ((await due()).length > 0) await chunk();
  await quiet();
}

/** So much time has passed for what waits. */
async function pass(interval: string): Promise<void> {
  await rig.database.query(`UPDATE resyncs SET due_at = due_at - $1::interval, begun_at = begun_at - $1::interval`, [
    interval,
  ]);
  await rig.database.query('UPDATE subject_resyncs SET due_at = due_at - $1::interval', [interval]);
  await rig.database.query('UPDATE pending_releases SET not_before = not_before - $1::interval', [interval]);
}

type Copy = Map<string, HeldCopy>;

/** What a reader makes of the feed who began behind a copy: of each subject only what follows the version in there. */
async function readBehind(copy: Copy = new Map(), recipient = partner): Promise<Copy> {
  const read: Copy = new Map();
  const seen = new Map<string, number>();
  for await (const { subject, record } of rig.readFeed(recipient)) {
    const version = record?.version ?? (seen.get(subject) ?? 0) + 1;
    seen.set(subject, version);
    if (version <= (copy.get(subject)?.version ?? 0)) continue;
    const known = read.get(subject) ?? NOTHING_HELD;
    const next = record === null ? { ...afterTombstone(known), version } : afterRecord(known, record);
    if (next !== undefined) read.set(subject, next);
  }
  return read;
}

/** What is held, whatever it was told with. */
const heldIn = (copy: Copy) =>
  Object.fromEntries(
    [...copy]
      .filter(([, { deleted }]) => !deleted)
      .map(([subject, { attributes, mailing }]) => [
        subject,
        {
          mailing,
          attributes: Object.entries(attributes).map(([name, { value, purposes }]) => ({ name, value, purposes })),
        },
      ])
      .sort(),
  );
const versionsIn = (copy: Copy): [string, number][] =>
  [...copy].map(([subject, { version }]): [string, number] => [subject, version]).sort();

const told = async (): Promise<number> =>
  (await rig.published('duties.notice-due.v1', 'notifications')).length +
  (await rig.published('duties.withdrawal-due.v1', partner)).length;

describe('a recipient that has lost its copy', () => {
  it('asks, and has exactly what it had', async () => {
    const [changes, revokes, ends] = [await permitted(), await permitted(), await permitted()];
    for (let others = 0; others < 3; others += 1) await permitted();
    await quiet();
    await rig.profile(changes, 2, { ...ACME, companyName: 'Changed' });
    await rig.revoke(ends, partner);
    await quiet();
    await rig.database.query(`UPDATE obligations SET due_by = '-infinity' WHERE recipient = $1`, [partner]);
    await expireObligations(rig.transactions, rig.signals);
    await rig.revoke(revokes, partner);
    await quiet();
    const [lost, toldBefore] = [await readBehind(), await told()];
    expect([...lost.values()].map(({ version }) => version).sort()).toEqual([1, 1, 1, 2, 2, 3]);

    await ask();
    await workOff();
    const anew = await readBehind(lost);
    expect(heldIn(anew)).toEqual(heldIn(lost));
    // Who is gone from the feed is not told of anew.
    lost.delete(await subjectOf(ends));
    expect(versionsIn(anew)).toEqual(versionsIn(lost).map(([subject, version]) => [subject, version + 1]));
    expect(await told()).toBe(toldBefore);
  });

  it('gets what it may hold by then, and no more', async () => {
    const [stays, goes] = [await permitted(), await permitted()];
    await quiet();
    const lost = await readBehind();
    await rig.releaser.stop();
    await ask();
    while ((await rig.database.query<object[]>('SELECT FROM resyncs WHERE due_at IS NOT NULL')).length > 0)
      await chunk();
    await rig.revoke(goes, partner);
    rig.releaser = rig.lanes();
    await rig.releaser.start();
    await quiet();
    const anew = await readBehind(lost);
    expect(Object.keys(anew.get(await subjectOf(stays))?.attributes ?? {})).toEqual(['companyName', 'email']);
    expect(anew.get(await subjectOf(goes))?.attributes).toEqual({});
  });

  it('asks for one subject, and gets that one, or that it is gone', async () => {
    const [asked, gone] = [await permitted(), await permitted()];
    await quiet();
    await rig.revoke(gone, partner);
    await quiet();
    await rig.database.query(`UPDATE obligations SET due_by = '-infinity' WHERE recipient = $1`, [partner]);
    await expireObligations(rig.transactions, rig.signals);
    await quiet();
    const lost = await readBehind();
    const [askedSubject, goneSubject] = [await subjectOf(asked), await subjectOf(gone)];
    await ask(partner, askedSubject);
    await ask(partner, goneSubject);
    await quiet();
    const anew = await readBehind(lost);
    expect(anew.get(askedSubject)).toMatchObject({ version: 2, attributes: { email: { value: ACME.email } } });
    expect(anew.get(goneSubject)).toMatchObject({ version: 4, deleted: true });
  });

  it('gets nothing of what is not its own', async () => {
    const other = await newPartner();
    const customer = await permitted(other);
    await quiet();
    const foreign = await subjectOf(customer, other);
    await expect(ask(partner, foreign)).rejects.toThrow(/foreign-or-unknown-subject/);
    await expect(ask(partner, randomUUID())).rejects.toThrow(/foreign-or-unknown-subject/);
    expect(await rig.isQuiet()).toBe(true);
    expect(await rig.versionOf(customer, other)).toBe(1);
  });
});

describe('a recipient that asks again and again', () => {
  /** Of all its records the last versions. */
  const versions = async () => versionsIn(await readBehind()).map(([, version]) => version);

  it.each([
    ['while it is under way', async () => {}, workOff],
    ['when it is over', workOff, async () => {}],
  ])('%s gets all of it once an hour, and the last request is not lost', async (_, before, after) => {
    for (let customers = 0; customers < 3; customers += 1) await permitted();
    await quiet();
    for (let times = 0; times < 3; times += 1) await ask();
    await chunk();
    await before();
    for (let times = 0; times < 3; times += 1) await ask();
    await after();
    await pass('59 min');
    await workOff();
    expect(await versions()).toEqual([2, 2, 2]);
    await pass('1 min');
    await workOff();
    expect(await versions()).toEqual([3, 3, 3]);
    await pass('5 hours');
    await workOff();
    expect(await versions()).toEqual([3, 3, 3]);
    await ask();
    await workOff();
    expect(await versions()).toEqual([4, 4, 4]);
  });

  it('gets one subject once an hour, and the last request is not lost', async () => {
    const customer = await permitted();
    await quiet();
    const subject = await subjectOf(customer);
    await ask(partner, subject);
    await quiet();
    expect(await versions()).toEqual([2]);
    for (let times = 0; times < 5; times += 1) await ask(partner, subject);
    const waiting = () => rig.database.query<object[]>('SELECT FROM pending_releases');
    expect(await waiting()).toHaveLength(1);
    await pass('59 min');
    expect(await waiting()).toHaveLength(1);
    await pass('1 min');
    await quiet();
    expect(await versions()).toEqual([3]);
  });

  it('for one subject after the other is taken to ask for all', async () => {
    const customer = await permitted();
    await quiet();
    const subject = await subjectOf(customer);
    await rig.database.query(
      `WITH made AS (
         INSERT INTO shares (id, customer, recipient, subject, lane)
         SELECT gen_random_uuid(), gen_random_uuid(), $1, gen_random_uuid(), 0 FROM generate_series(1, 1000) RETURNING id)
       INSERT INTO subject_resyncs (share, recipient, due_at) SELECT id, $1, clock_timestamp() FROM made`,
      [partner],
    );
    await ask(partner, subject);
    expect(await rig.isQuiet()).toBe(true);
    await workOff();
    expect(await versions()).toEqual([2]);
  });

  it('takes turns with others', async () => {
    const other = await newPartner();
    for (let customers = 0; customers < 3; customers += 1) await permitted();
    await permitted(other);
    await quiet();
    await ask();
    await ask(other);
    await chunk();
    await chunk();
    await quiet();
    expect(versionsIn(await readBehind(new Map(), other)).map(([, version]) => version)).toEqual([2]);
    expect((await versions()).sort()).toEqual([1, 2, 2]);
    await workOff();
  });
});

import { randomUUID } from 'node:crypto';
import { openingProblem, type Leaf } from '@castiron/ledger';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { announceDisclosures } from '../ledger-announcements/disclosure-announcer.js';
import { ACME, sharingMigrations, SharingRig } from '../testing/sharing.rig.js';

let rig: SharingRig;
let partner: string;

beforeAll(async () => {
  rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, 'release-spec');
  await rig.registerNotifier();
  partner = await rig.partner(uniqueSlug(), [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    { purpose: 'service-delivery', attributes: ['companyName', 'domainNames'], ground: 'permission' },
  ]);
});
afterAll(() => rig?.end());

const settled = (customer: string, version: number, recipient = partner) =>
  eventually(async () => expect(await rig.versionOf(customer, recipient)).toBe(version));
const quiet = () => eventually(() => rig.isQuiet());

describe('a release', () => {
  it('puts exactly what is permitted on the feed, and a revocation takes it away', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner);
    await settled(customer, 1);
    expect(await rig.revoke(customer, partner)).toBe(true);
    await settled(customer, 2);

    const [granted, withdrawn] = await rig.feedOf(customer, partner);
    expect(Object.keys(granted!.attributes).sort()).toEqual(['companyName', 'email']);
    expect(granted!.attributes.companyName).toMatchObject({
      value: 'Acme',
      purposes: [{ purpose: 'recommendation', ground: 'permission' }],
    });
    expect(granted).toMatchObject({ version: 1, mailing: 'stopped' });
    expect(withdrawn).toMatchObject({ version: 2, attributes: {} });

    for (const record of [granted!, withdrawn!]) {
      const rows: { leaf: string; index: string }[] = await rig.database.query(
        'SELECT leaf, index FROM ledger_entries WHERE id = $1',
        [record.entry],
      );
      expect(openingProblem(JSON.parse(rows[0]!.leaf) as Leaf, record as never)).toBeUndefined();
      expect(rows[0]!.index).toBe(record.index);
    }
  });

  it('names on a withdrawal the agreement that ended, and not one that is only a draft', async () => {
    const other = uniqueSlug();
    await rig.register({ slug: other, name: 'Southern Hosting', kind: 'network-member' });
    const purposes = [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }] as const;
    const agreement = await rig.agree(other, purposes);
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, other);
    await settled(customer, 1, other);
    await rig.draft(other, purposes);
    expect(await rig.terminate(agreement)).toBe(true);
    await settled(customer, 2, other);

    const rows: { agreement: string }[] = await rig.database.query(
      `SELECT e.agreement FROM share_entries e JOIN shares s ON s.id = e.share
       WHERE s.customer = $1 AND s.recipient = $2 ORDER BY e.index`,
      [customer, other],
    );
    expect(rows).toEqual([{ agreement }, { agreement }]);
  });

  it('publishes a change, and nothing where the change is of no concern', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner);
    await settled(customer, 1);
    await rig.profile(customer, 2, { ...ACME, companyName: 'Acme Two' });
    await settled(customer, 2);
    await rig.profile(customer, 1, { ...ACME, companyName: 'Old' });
    await quiet();
    const feed = await rig.feedOf(customer, partner);
    expect(feed.map((record) => record?.attributes.companyName?.value)).toEqual(['Acme', 'Acme Two']);
  });

  it('tells nothing of a customer who permitted nothing', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.revoke(customer, partner);
    await quiet();
    expect(await rig.feedOf(customer, partner)).toEqual([]);
  });

  it('welcomes, and says when sharing with a partner started and ended', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await settled(customer, 1, 'notifications');
    await rig.permit(customer, partner);
    await settled(customer, 1);
    await rig.revoke(customer, partner);
    await settled(customer, 2);
    const share = await rig.shareOf(customer, 'notifications');
    const notices = await rig.published('duties.notice-due.v1', 'notifications');
    expect(notices.filter(({ subject }) => subject === share?.subject)).toMatchObject([
      { kind: 'welcome' },
      { kind: 'sharing-started', about: 'Northern Hosting' },
      { kind: 'sharing-ended', about: 'Northern Hosting' },
    ]);
  });

  it('lets a subscriber be mailed, until the permission ends', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, { email: 's@sub.example' }, 'subscription');
    await settled(customer, 1, 'notifications');
    expect((await rig.feedOf(customer, 'notifications')).at(-1)).toMatchObject({ mailing: 'allowed' });
    expect(await rig.revoke(customer, 'notifications', 'mailing')).toBe(true);
    await settled(customer, 2, 'notifications');
    expect((await rig.feedOf(customer, 'notifications')).at(-1)).toMatchObject({ mailing: 'stopped' });
  });

  it('tells of a cancellation though mailings are permitted anew before it could be told', async () => {
    const customers = [randomUUID(), randomUUID()];
    for (const customer of customers) {
      await rig.profile(customer, 1, { email: 's@sub.example' }, 'subscription');
      await settled(customer, 1, 'notifications');
    }
    rig.custodyAway = true;
    const at = new Date();
    await rig.cancelMailings(customers, at);
    for (const customer of customers) await rig.permit(customer, 'notifications', 'mailing');
    rig.custodyAway = false;
    const known = { mailing: 'allowed', mailingCancelledAt: at.toISOString() };
    await quiet();
    for (const customer of customers) expect((await rig.feedOf(customer, 'notifications')).at(-1)).toMatchObject(known);
    // The same one again, as a message that was parked may come, takes back nothing that was permitted since.
    await rig.cancelMailings(customers, at);
    await quiet();
    for (const customer of customers) expect((await rig.feedOf(customer, 'notifications')).at(-1)).toMatchObject(known);
  });

  it('makes no record of a cancellation that comes again and again, and the next that allows mailings tells of the last', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, { email: 's@sub.example' }, 'subscription');
    await settled(customer, 1, 'notifications');
    const first = Date.now();
    for (const after of [0, 1_000, 2_000]) {
      await rig.cancelMailings([customer], new Date(first + after));
      await quiet();
    }
    expect(await rig.versionOf(customer, 'notifications')).toBe(2);
    await rig.permit(customer, 'notifications', 'mailing');
    await settled(customer, 3, 'notifications');
    const known = { mailing: 'allowed', mailingCancelledAt: new Date(first + 2_000).toISOString() };
    expect((await rig.feedOf(customer, 'notifications')).at(-1)).toMatchObject(known);
  });

  it('waits the longer for a key the longer it has waited', async () => {
    rig.custodyAway = true;
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner);
    await rig.database.query(`UPDATE pending_releases SET at = clock_timestamp() - interval '1 hour'`);
    await eventually(async () => {
      const [pause]: { seconds: number }[] = await rig.database.query(
        'SELECT extract(epoch FROM min(not_before) - clock_timestamp())::float8 AS seconds FROM pending_releases',
      );
      expect(pause?.seconds).toBeGreaterThan(50);
    });
    rig.custodyAway = false;
    await rig.database.query('UPDATE pending_releases SET not_before = clock_timestamp()');
    await settled(customer, 1);
  });

  it('shares by cooperation when an agreement enters into force and for who comes later, and not against an objection', async () => {
    const slug = uniqueSlug();
    await rig.register({ slug, name: 'Co', kind: 'network-member' });
    const [before, after, other] = [randomUUID(), randomUUID(), randomUUID()];
    await rig.profile(before, 1, ACME);
    await rig.profile(other, 1, ACME);
    await rig.revoke(other, slug, 'service-delivery');
    const agreement = await rig.agree(slug, [
      { purpose: 'service-delivery', attributes: ['companyName'], ground: 'cooperation' },
    ]);
    await rig.profile(after, 1, ACME);
    await settled(before, 1, slug);
    await settled(after, 1, slug);
    await quiet();
    expect(await rig.feedOf(other, slug)).toEqual([]);
    expect(await rig.terminate(agreement)).toBe(true);
    await settled(before, 2, slug);
    await settled(after, 2, slug);
    expect((await rig.feedOf(before, slug)).at(-1)).toMatchObject({ attributes: {} });
  });
});

describe('the ledger', () => {
  it('is announced entry by entry, without gaps', async () => {
    await quiet();
    while (await announceDisclosures(rig.transactions));
    const rows: { payload: string }[] = await rig.database.query(
      `SELECT payload FROM outbox WHERE type = 'sharing.disclosure-recorded.v1' ORDER BY id`,
    );
    const size: { size: string }[] = await rig.database.query('SELECT size FROM ledger_head');
    const indexes = rows.map(({ payload }) => (JSON.parse(String(payload)) as { index: string }).index);
    expect(indexes.length).toBeGreaterThan(0);
    expect(indexes).toEqual(Array.from({ length: Number(size[0]!.size) }, (_, index) => String(index)));
  });
});

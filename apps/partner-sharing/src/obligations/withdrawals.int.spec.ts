import { randomUUID } from 'node:crypto';
import { newEventId } from '@castiron/contracts';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { settleWithdrawalWhenConfirmed } from '../replies/settle-withdrawal-when-confirmed.handler.js';
import { ACME, sharingMigrations, SharingRig } from '../testing/sharing.rig.js';
import { expireObligations } from './expire-obligations/expire-obligations.js';

let rig: SharingRig;
let partner: string;

beforeAll(async () => {
  rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, 'withdrawals-spec');
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

/** What a recipient was asked about a customer, oldest first. */
const owed = (customer: string, recipient = partner): Promise<Record<string, unknown>[]> =>
  rig.database.query(
    `SELECT o.complete, o.attributes, o.purposes FROM obligations o JOIN shares s ON s.id = o.share
     WHERE s.customer = $1 AND s.recipient = $2 ORDER BY o.created_at`,
    [customer, recipient],
  );

describe('a recipient is told', () => {
  it('to delete what it may no longer hold, and to stop using for the purpose that ended what stays for another', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner);
    await rig.permit(customer, partner, 'service-delivery');
    await quiet();
    expect(await rig.revoke(customer, partner)).toBe(true);
    await quiet();
    const last = (await rig.feedOf(customer, partner)).at(-1)!;
    expect(Object.keys(last.attributes).sort()).toEqual(['companyName', 'domainNames']);
    expect(last.attributes.companyName?.purposes).toEqual([{ purpose: 'service-delivery', ground: 'permission' }]);
    const purposes = [{ purpose: 'recommendation', attributes: ['companyName'] }];
    expect(await owed(customer)).toEqual([{ complete: false, attributes: ['email'], purposes }]);
    const { subject } = (await rig.shareOf(customer, partner))!;
    const duties = await rig.published('duties.withdrawal-due.v1', partner);
    expect(duties.filter((one) => one['subject'] === subject)).toMatchObject([
      { complete: false, attributes: ['email'], purposes, version: last.version },
    ]);
  });

  it('within the days that its agreement gives it, or thirty', async () => {
    const brief = uniqueSlug();
    await rig.register({ slug: brief, name: 'Southern Hosting', kind: 'network-member' });
    const purposes = [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }] as const;
    await rig.agree(brief, purposes, { daysToDelete: 7 });
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    for (const recipient of [partner, brief]) {
      await rig.permit(customer, recipient);
      await quiet();
      await rig.revoke(customer, recipient);
      await quiet();
    }
    const daysOf = async (recipient: string) => {
      const rows: { due: Date; days: number }[] = await rig.database.query(
        `SELECT o.due_by AS due, extract(epoch FROM o.due_by - s.record_at)::float / 86400 AS days
         FROM obligations o JOIN shares s ON s.id = o.share WHERE s.customer = $1 AND s.recipient = $2`,
        [customer, recipient],
      );
      const told = await rig.published('duties.withdrawal-due.v1', recipient);
      expect(told.at(-1)?.['dueBy']).toBe(rows[0]?.due.toISOString());
      return rows.map(({ days }) => Math.round(days * 1e5) / 1e5);
    };
    expect([await daysOf(partner), await daysOf(brief)]).toEqual([[30], [7]]);
  });

  it('to stop using also where it keeps every attribute', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, { email: 's@sub.example' }, 'subscription');
    await settled(customer, 1, 'notifications');
    await rig.revoke(customer, 'notifications', 'mailing');
    await settled(customer, 2, 'notifications');
    expect(await owed(customer, 'notifications')).toEqual([
      { complete: false, attributes: [], purposes: [{ purpose: 'mailing', attributes: ['email'] }] },
    ]);
  });
});

/** The withdrawals that the partner has not confirmed, oldest first. */
const openOf = (customer: string): Promise<{ id: string; subject: string; version: number }[]> =>
  rig.database.query(
    `SELECT o.id, o.subject, o.version FROM obligations o JOIN shares s ON s.id = o.share
     WHERE s.customer = $1 AND s.recipient = $2 AND o.state = 'open' ORDER BY o.created_at`,
    [customer, partner],
  );

/** The partner confirms its oldest withdrawal, or the one at this place. */
async function confirm(customer: string, at = 0, topic = `replies.${partner}.v1`): Promise<void> {
  const { id: obligation, subject, version } = (await openOf(customer))[at]!;
  await rig.transactions.run([], (tx) =>
    settleWithdrawalWhenConfirmed(rig.signals)(
      {
        contract: undefined as never,
        topic,
        key: subject,
        data: { obligation, subject, version, at: new Date().toISOString() },
        meta: { id: newEventId(), time: new Date() },
      },
      tx,
    ),
  );
}

/** The time that the partner has for what it owes is over. */
async function expire(customer: string): Promise<void> {
  const open = (await openOf(customer)).map(({ id }) => id);
  await rig.database.query(`UPDATE obligations SET due_by = clock_timestamp() - interval '1 s' WHERE id = ANY ($1)`, [
    open,
  ]);
  await expireObligations(rig.transactions, rig.signals);
}

const permitted = async (customer: string, purpose?: string): Promise<void> => {
  await rig.permit(customer, partner, purpose);
  await quiet();
};
const revoked = async (customer: string, purpose?: string): Promise<void> => {
  expect(await rig.revoke(customer, partner, purpose)).toBe(true);
  await quiet();
};

/** What the feed has said of a customer: which attributes it carries each time, and null for a tombstone. */
const said = async (customer: string): Promise<(string[] | null)[]> =>
  (await rig.feedOf(customer, partner)).map((record) =>
    record === null ? null : Object.keys(record.attributes).sort(),
  );

const SHARED = ['companyName', 'email'];

describe('a withdrawal', () => {
  let customer: string;
  beforeEach(async () => {
    customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await permitted(customer);
  });

  it('ends the key itself once the recipient confirmed, and listens to nobody else', async () => {
    await revoked(customer);
    await expect(confirm(customer, 0, 'replies.somebody-else.v1')).rejects.toThrow(/foreign/);
    await quiet();
    expect(await said(customer)).toEqual([SHARED, []]);
    await confirm(customer);
    await quiet();
    expect(await said(customer)).toEqual([SHARED, [], null]);
  });

  it('ends the key once the time to confirm is over', async () => {
    await revoked(customer);
    await expire(customer);
    await quiet();
    expect(await said(customer)).toEqual([SHARED, [], null]);
    expect(await openOf(customer)).toEqual([]);
  });

  it.each([
    ['confirmed', (customer: string) => confirm(customer)],
    ['expired', expire],
  ] as const)('of a part ends no key, though it is %s', async (_, settle) => {
    await permitted(customer, 'service-delivery');
    await revoked(customer);
    const before = await said(customer);
    expect(before.at(-1)).toEqual(['companyName', 'domainNames']);
    await settle(customer);
    await quiet();
    expect(await openOf(customer)).toEqual([]);
    expect(await said(customer)).toEqual(before);
  });

  it.each([
    ['confirmed', (customer: string) => confirm(customer)],
    ['expired', expire],
  ] as const)('ends no key where it was granted anew before it was %s', async (_, settle) => {
    await revoked(customer);
    await permitted(customer);
    await settle(customer);
    await quiet();
    expect(await said(customer)).toEqual([SHARED, [], SHARED]);
  });

  it('ends the key only with the last one, where it was granted in between', async () => {
    await revoked(customer);
    await permitted(customer);
    await revoked(customer);
    await confirm(customer);
    await quiet();
    expect(await said(customer)).toEqual([SHARED, [], SHARED, []]);
    await confirm(customer);
    await quiet();
    expect(await said(customer)).toEqual([SHARED, [], SHARED, [], null]);
  });

  it('of a part that is still open keeps no key that is to go', async () => {
    await permitted(customer, 'service-delivery');
    await revoked(customer);
    await revoked(customer, 'service-delivery');
    const [part] = await openOf(customer);
    await confirm(customer, 1);
    await quiet();
    expect(await openOf(customer)).toEqual([part]);
    expect((await said(customer)).at(-1)).toBeNull();
  });

  it('of an erased customer ends the key like any other', async () => {
    await rig.erase(customer);
    await quiet();
    expect(await said(customer)).toEqual([SHARED, []]);
    await confirm(customer);
    await quiet();
    expect(await said(customer)).toEqual([SHARED, [], null]);
  });
});

describe('with key custody away, a withdrawal', () => {
  it('goes, and values wait for it', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    await rig.profile(one, 1, ACME);
    await rig.profile(two, 1, ACME);
    await rig.permit(one, partner);
    await settled(one, 1);
    rig.custodyAway = true;
    try {
      await rig.permit(two, partner);
      await rig.revoke(one, partner);
      await settled(one, 2);
      expect(await rig.feedOf(two, partner)).toEqual([]);
    } finally {
      rig.custodyAway = false;
    }
    await settled(two, 1);
  });
});

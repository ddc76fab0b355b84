import { randomUUID } from 'node:crypto';
import { newEventId } from '@castiron/contracts';
import { outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { settleWithdrawalWhenConfirmed } from '../replies/settle-withdrawal-when-confirmed.handler.js';
import { ACME, SharingRig } from '../testing/sharing.rig.js';

let rig: SharingRig;
let partner: string;

beforeAll(async () => {
  rig = new SharingRig(
    await freshDatabase([...migrations, ...outboxMigrations]),
    inject('stack').kafka,
    'withdrawals-spec',
  );
  await rig.publishStatement();
  await rig.start();
  partner = uniqueSlug();
  await rig.register({ slug: partner, name: 'Northern Hosting', kind: 'network-member' });
  await rig.registerNotifier();
  await rig.agree(partner, [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    { purpose: 'service-delivery', attributes: ['companyName', 'domainNames'], ground: 'permission' },
  ]);
});
afterAll(async () => {
  await rig?.stop();
  await rig?.database.destroy();
});

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

describe('a withdrawal', () => {
  it('ends the key itself once the recipient confirmed, and listens to nobody else', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner);
    await settled(customer, 1);
    await rig.revoke(customer, partner);
    await settled(customer, 2);
    const rows: { id: string; subject: string; version: number }[] = await rig.database.query(
      'SELECT o.id, o.subject, o.version FROM obligations o JOIN shares s ON s.id = o.share WHERE s.customer = $1',
      [customer],
    );
    const { id: obligation, subject, version } = rows[0]!;
    const confirm = (topic: string) =>
      rig.transactions.run([], (tx) =>
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
    await expect(confirm('replies.somebody-else.v1')).rejects.toThrow(/foreign/);
    await confirm(`replies.${partner}.v1`);
    await settled(customer, 3);
    expect((await rig.feedOf(customer, partner)).at(-1)).toBeNull();
  });

  it('goes while key custody is away, and values wait for it', async () => {
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

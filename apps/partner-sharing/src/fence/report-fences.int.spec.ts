import { randomUUID } from 'node:crypto';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ACME, sharingMigrations, SharingRig } from '../testing/sharing.rig.js';
import { reportFences } from './report-fences.js';

let rig: SharingRig;
let partner: string;
beforeAll(async () => {
  rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, 'fences-spec');
  partner = await rig.partner(uniqueSlug(), [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
  ]);
});
afterAll(() => rig?.end());

const settled = (customer: string, version: number) =>
  eventually(async () => expect(await rig.versionOf(customer, partner)).toBe(version));

/** Commands that customer-profiles was told of, of one customer. */
async function reported(customer: string): Promise<unknown[]> {
  while (await reportFences(rig.transactions));
  const rows: { payload: string }[] = await rig.database.query(
    `SELECT payload FROM outbox WHERE type = 'sharing.fence-stood.v1' AND aggregateid = $1 ORDER BY id`,
    [`${customer}/fence`],
  );
  return rows.map(({ payload }) => (JSON.parse(payload) as { command: unknown }).command);
}

async function permitted(values: Readonly<Record<string, string>> = ACME): Promise<string> {
  const customer = randomUUID();
  await rig.profile(customer, 1, values);
  await rig.permit(customer, partner);
  await settled(customer, 1);
  return customer;
}

/** A send that is under way for a customer, as its release marks it. @returns what settles it */
async function sendUnderWay(customer: string): Promise<() => Promise<void>> {
  const { id } = (await rig.shareOf(customer, partner))!;
  await rig.database.query(
    `INSERT INTO sending_records (share, lane, token, batch, entry, customer, agreement_epoch, customer_epoch, share_epoch, outcome)
     SELECT $1, 0, -1, gen_random_uuid(), gen_random_uuid(), id, 0, epoch, 0, '{}' FROM customers WHERE id = $2`,
    [id, customer],
  );
  return async () => void (await rig.database.query('DELETE FROM sending_records WHERE share = $1', [id]));
}

describe('the erasure of a customer', () => {
  it('is reported once no send of before is under way, once', async () => {
    const customer = await permitted();
    const settle = await sendUnderWay(customer);
    const command = await rig.erase(customer);
    expect(await reported(customer)).toEqual([]);
    await settle();
    expect(await reported(customer)).toEqual([command]);
    expect(await reported(customer)).toEqual([command]);
    await settled(customer, 2);
    expect((await rig.feedOf(customer, partner)).at(-1)?.attributes).toEqual({});
  });

  it('that comes before the profile lets no version of it in', async () => {
    const customer = randomUUID();
    const command = await rig.erase(customer);
    await rig.profile(customer, 1, ACME);
    expect(await rig.database.query('SELECT FROM customers WHERE id = $1', [customer])).toEqual([]);
    expect(await reported(customer)).toEqual([command]);
  });

  it('that comes again is what it was', async () => {
    const customer = await permitted();
    await rig.erase(customer);
    await settled(customer, 2);
    await rig.profile(customer, 2, ACME);
    await eventually(() => rig.isQuiet());
    expect(await rig.versionOf(customer, partner)).toBe(2);
  });
});

describe('the withdrawal of an attribute', () => {
  it('is reported once no send of before is under way, and once, though each version names it', async () => {
    const customer = await permitted();
    const settle = await sendUnderWay(customer);
    const { email: _withdrawn, ...rest } = ACME;
    const command = randomUUID();
    await rig.profile(customer, 2, rest, 'service-order', command);
    expect(await reported(customer)).toEqual([]);
    await settle();
    expect(await reported(customer)).toEqual([command]);
    await rig.profile(customer, 3, { ...rest, companyName: 'Acme II' }, 'service-order', command);
    await eventually(() => rig.isQuiet());
    expect(await reported(customer)).toEqual([command]);
  });
});

import { randomUUID } from 'node:crypto';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ACME, sharingMigrations, SharingRig } from '../../testing/sharing.rig.js';
import { ReadHoldings } from './read-holdings.query.js';

let rig: SharingRig;
beforeAll(async () => {
  rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, 'holdings-spec');
});
afterAll(() => rig?.end());

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

it('a customer reads who holds what and what each was asked to give up, every instant in one form', async () => {
  const [customer, partner] = [randomUUID(), uniqueSlug()];
  await rig.partner(partner, [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    { purpose: 'service-delivery', attributes: ['companyName'], ground: 'permission' },
  ]);
  await rig.profile(customer, 1, ACME);
  await rig.permit(customer, partner, 'service-delivery');
  await rig.permit(customer, partner);
  await eventually(() => rig.isQuiet());
  await rig.revoke(customer, partner);
  await eventually(() => rig.isQuiet());
  const wire = JSON.parse(JSON.stringify(await new ReadHoldings(rig.database).of(customer))) as unknown;
  expect(wire).toEqual([
    expect.objectContaining({
      recipient: partner,
      state: 'released',
      since: expect.stringMatching(INSTANT) as string,
      attributes: [{ name: 'companyName', purposes: [{ purpose: 'service-delivery', ground: 'permission' }] }],
      withdrawals: [
        {
          obligation: expect.any(String) as string,
          attributes: ['email'],
          purposes: [{ purpose: 'recommendation', attributes: ['companyName'] }],
          complete: false,
          state: 'open',
          askedAt: expect.stringMatching(INSTANT) as string,
          dueBy: expect.stringMatching(INSTANT) as string,
          settledAt: null,
        },
      ],
    }),
  ]);
});

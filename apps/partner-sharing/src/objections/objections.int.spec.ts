import { randomUUID } from 'node:crypto';
import { outboxMigrations } from '@castiron/outbox';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { migrations } from '../database/migrations.js';
import { Fence } from '../fence/fence.js';
import { ACME, SharingRig } from '../testing/sharing.rig.js';
import { ChangeObjectionUseCase } from './change-objection.use-case.js';
import { objectionsOf } from './objection.table.js';

let rig: SharingRig;
let partner: string;
let objections: ChangeObjectionUseCase;
beforeAll(async () => {
  rig = new SharingRig(
    await freshDatabase([...migrations, ...outboxMigrations]),
    inject('stack').kafka,
    'objections-spec',
  );
  await rig.publishStatement();
  await rig.start();
  partner = uniqueSlug();
  await rig.register({ slug: partner, name: 'Northern Hosting', kind: 'network-member' });
  await rig.registerNotifier();
  await rig.agree(partner, [
    { purpose: 'service-delivery', attributes: ['companyName'], ground: 'cooperation' },
    { purpose: 'service-delivery', attributes: ['companyName'], ground: 'permission' },
  ]);
  objections = new ChangeObjectionUseCase(rig.transactions, rig.signals);
});
afterAll(async () => {
  await rig?.stop();
  await rig?.database.destroy();
});

const settled = (customer: string, version: number) =>
  eventually(async () => expect(await rig.versionOf(customer, partner)).toBe(version));
const of = (customer: string) => ({ customer, recipient: partner, purpose: 'service-delivery' });
const heldOf = async (customer: string): Promise<string[]> =>
  Object.keys((await rig.feedOf(customer, partner)).at(-1)?.attributes ?? {});

/** Whether the fence stood in time. */
async function object(customer: string): Promise<boolean> {
  const { command } = await objections.object(of(customer));
  return new Fence(rig.database, rig.signals).wait(command);
}

describe('an objection to cooperation', () => {
  it('ends what goes by it, and its withdrawal lets it go on', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await settled(customer, 1);
    expect(await object(customer)).toBe(true);
    await settled(customer, 2);
    expect(await heldOf(customer)).toEqual([]);
    await objections.withdraw(of(customer));
    await settled(customer, 3);
    expect(await heldOf(customer)).toEqual(['companyName']);
    expect(await objectionsOf(rig.database.manager, customer)).toMatchObject([{ state: 'withdrawn', version: 2 }]);
  });

  it('made before the profile arrives, holds when it does', async () => {
    const customer = randomUUID();
    expect(await object(customer)).toBe(true);
    await rig.profile(customer, 1, ACME);
    await eventually(() => rig.isQuiet());
    expect(await rig.versionOf(customer, partner)).toBe(0);
  });

  it('revokes a permission for the same, and made twice is one', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner, 'service-delivery');
    await eventually(() => rig.isQuiet());
    expect([await object(customer), await object(customer)]).toEqual([true, true]);
    await eventually(() => rig.isQuiet());
    expect(await heldOf(customer)).toEqual([]);
    expect(await objectionsOf(rig.database.manager, customer)).toMatchObject([{ state: 'standing', version: 1 }]);
    // A permission that is revoked is an objection by itself.
    await objections.withdraw(of(customer));
    await eventually(() => rig.isQuiet());
    expect(await heldOf(customer)).toEqual([]);
  });

  it('is about other companies, known purposes, and what there is', async () => {
    const customer = randomUUID();
    const refused = (promise: Promise<unknown>, code: string) =>
      expect(promise).rejects.toMatchObject({ refusal: { code } });
    await refused(objections.object({ ...of(customer), recipient: 'notifications' }), 'no-cooperation');
    await refused(objections.object({ ...of(customer), purpose: 'anything' }), 'unknown-purpose');
    await refused(objections.withdraw(of(customer)), 'no-such-objection');
  });
});

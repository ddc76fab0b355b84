import { randomUUID } from 'node:crypto';
import { appendToOutbox } from '@castiron/outbox';
import { Transactions, type PendingEvent } from '@castiron/transactions';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Fence } from '../fence/fence.js';
import { publications } from '../publications.js';
import { ACME, sharingMigrations, SharingRig } from '../testing/sharing.rig.js';
import { ChangeObjectionUseCase } from './change-objection.use-case.js';
import { objectionsOf } from './objection.table.js';

let rig: SharingRig;
let partner: string;
let objections: ChangeObjectionUseCase;
/** All that was told through the outbox. */
const told: PendingEvent[] = [];
beforeAll(async () => {
  rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, 'objections-spec');
  await rig.registerNotifier();
  partner = await rig.partner(uniqueSlug(), [
    { purpose: 'service-delivery', attributes: ['companyName'], ground: 'cooperation' },
    { purpose: 'service-delivery', attributes: ['companyName'], ground: 'permission' },
  ]);
  const append: typeof appendToOutbox = (events) => {
    told.push(...events);
    return appendToOutbox(events);
  };
  const transactions = new Transactions(rig.database, { append, wake: () => {} }, publications);
  objections = new ChangeObjectionUseCase(transactions, rig.signals);
});
afterAll(() => rig?.end());

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

  it('is answered once nothing decided before it is on its way, made again too', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await settled(customer, 1);
    for (const _ of ['made', 'made again']) {
      const { id } = (await rig.shareOf(customer, partner))!;
      await rig.database.query(
        `INSERT INTO sending_records (share, lane, token, batch, entry, customer, agreement_epoch, customer_epoch, share_epoch, outcome)
         SELECT id, 99, 0, gen_random_uuid(), gen_random_uuid(), customer, 0, 0, epoch, '{}' FROM shares WHERE id = $1`,
        [id],
      );
      const { command } = await objections.object(of(customer));
      expect(await new Fence(rig.database, rig.signals, 100).wait(command)).toBe(false);
      await rig.database.query('DELETE FROM sending_records WHERE share = $1', [id]);
      expect(await new Fence(rig.database, rig.signals).wait(command)).toBe(true);
    }
  });

  it('made again has nothing released again, but for a permission that was given since', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await settled(customer, 1);
    await object(customer);
    await settled(customer, 2);
    const lastPending = async (): Promise<unknown> =>
      (await rig.database.query<object[]>('SELECT last_value FROM pending_releases_id_seq'))[0];
    const before = await lastPending();
    await object(customer);
    expect(await lastPending()).toEqual(before);
    await rig.permit(customer, partner, 'service-delivery');
    await settled(customer, 3);
    await object(customer);
    await settled(customer, 4);
    expect(await heldOf(customer)).toEqual([]);
  });

  it('is told, in a full outbox too, as its withdrawal is not, and both are kept as evidence', async () => {
    const customer = randomUUID();
    told.length = 0;
    await object(customer);
    await object(customer);
    await objections.withdraw(of(customer));
    await objections.withdraw(of(customer));
    const states = ['standing', 'withdrawn'];
    expect(told.map(({ type, reserved }) => [type, reserved])).toEqual([
      ['sharing.objection-changed.v1', true],
      ['sharing.objection-changed.v1', false],
    ]);
    expect(told.map(({ message }) => JSON.parse(message.value ?? '') as object)).toMatchObject(
      states.map((state, earlier) => ({ ...of(customer), state, version: earlier + 1 })),
    );
    expect(
      await rig.database.query('SELECT state, version FROM objection_history WHERE customer = $1 ORDER BY version', [
        customer,
      ]),
    ).toEqual(states.map((state, earlier) => ({ state, version: earlier + 1 })));
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

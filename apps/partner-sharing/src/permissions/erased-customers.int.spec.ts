import { randomUUID } from 'node:crypto';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { ACME, sharingMigrations, SharingRig } from '../testing/sharing.rig.js';
import { ImportPermissionsUseCase } from './import-permissions/import-permissions.use-case.js';
import { permissionsOf } from './permission.table.js';

let rig: SharingRig;
let partner: string;
beforeAll(async () => {
  rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, 'erased-spec');
  partner = await rig.partner(uniqueSlug(), [
    { purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' },
  ]);
});
afterAll(() => rig?.end());

const row = (customer: string) => ({
  customer,
  recipient: partner,
  purpose: 'recommendation',
  how: 'form',
  givenAt: new Date().toISOString(),
  statementVersion: 1,
});
const imported = (...customers: string[]) =>
  new ImportPermissionsUseCase(rig.transactions, rig.signals).import(customers.map(row));

describe('of a customer that was erased', () => {
  it.each([
    ['with its profile here', (customer: string) => rig.profile(customer, 1, ACME)],
    ['before its profile came', async () => {}],
  ])('no permission is granted or imported, %s', async (_, arrive) => {
    const [erased, other] = [randomUUID(), randomUUID()];
    await arrive(erased);
    await rig.erase(erased);
    await expect(rig.permit(erased, partner)).rejects.toMatchObject({
      refusal: { code: 'customer-erased', field: 'customer' },
    });
    expect(await imported(other, erased)).toMatchObject([
      { outcome: 'created', customer: other },
      { outcome: 'refused', customer: erased, reason: expect.stringMatching(/^customer: .*erased/) as string },
    ]);
    expect(await permissionsOf(rig.database.manager, erased)).toEqual([]);
    await eventually(() => rig.isQuiet());
    expect(await rig.shareOf(erased, partner)).toBeUndefined();
  });
});

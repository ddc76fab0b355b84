import { randomUUID } from 'node:crypto';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ImportPermissionsUseCase } from '../../permissions/import-permissions/import-permissions.use-case.js';
import { ACME, sharingMigrations, SharingRig } from '../../testing/sharing.rig.js';

let rig: SharingRig;
beforeAll(async () => {
  rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, 'late-spec');
});
afterAll(() => rig?.end());

/** Whether somebody waits for a lock that another transaction holds. */
async function isSomebodyWaiting(): Promise<boolean> {
  const rows: unknown[] = await rig.database.query(
    `SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
     WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted`,
  );
  return rows.length > 0;
}

it('a permission that is imported while its profile is being committed is released', async () => {
  const [customer, partner] = [randomUUID(), uniqueSlug()];
  await rig.partner(partner, [{ purpose: 'recommendation', attributes: ['companyName'], ground: 'permission' }]);
  await eventually(() => rig.isQuiet());

  // The profile's transaction has looked for shares and is not committed ...
  let commit = (): void => undefined;
  const committing = new Promise<void>((resolve) => (commit = resolve));
  let arrived: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve) => {
    rig.holdProfile = () => {
      resolve();
      return committing;
    };
    arrived = rig.profile(customer, 1, ACME);
  });
  // ... when the permission comes, and, where it may, is committed and found to be about nobody known.
  let imported = false;
  const evidence = { how: 'form', givenAt: new Date().toISOString(), statementVersion: 1 };
  const importing = new ImportPermissionsUseCase(rig.transactions, rig.signals)
    .import([{ customer, recipient: partner, purpose: 'recommendation', ...evidence }])
    .then((answers) => {
      imported = true;
      return answers;
    });
  await eventually(async () => (imported && (await rig.isQuiet())) || (await isSomebodyWaiting()));
  commit();
  await arrived;
  expect(await importing).toMatchObject([{ outcome: 'created' }]);
  await eventually(async () => expect(await rig.versionOf(customer, partner)).toBe(1));
});

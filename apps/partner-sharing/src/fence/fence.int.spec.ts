import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { eventually, freshDatabase, uniqueSlug } from '@castiron/testing';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { Caller } from '@castiron/access';
import { CommandsController } from '../commands/commands.controller.js';
import { lockEpochsShared } from '../epochs/epoch-locks.js';
import { GrantPermissionUseCase } from '../permissions/grant-permission/grant-permission.use-case.js';
import { RevocationController } from '../permissions/revoke-permission/revocation.controller.js';
import { RevokePermissionUseCase } from '../permissions/revoke-permission/revoke-permission.use-case.js';
import { ACME, sharingMigrations, SharingRig } from '../testing/sharing.rig.js';
import { Fence } from './fence.js';

let rig: SharingRig;
let partner: string;

beforeAll(async () => {
  rig = await SharingRig.started(await freshDatabase(sharingMigrations), inject('stack').kafka, 'fence-spec');
  partner = await rig.partner(uniqueSlug(), [
    { purpose: 'recommendation', attributes: ['companyName', 'email'], ground: 'permission' },
    { purpose: 'service-delivery', attributes: ['companyName', 'domainNames'], ground: 'permission' },
  ]);
});
afterAll(() => rig?.end());

const settled = (customer: string, version: number, recipient = partner) =>
  eventually(async () => expect(await rig.versionOf(customer, recipient)).toBe(version));
const quiet = () => eventually(() => rig.isQuiet());

describe('the fence under load (G2)', () => {
  it('lets nothing of a revoked purpose onto the feed after the answer, whatever else is released meanwhile', async () => {
    const customers = Array.from({ length: 24 }, () => randomUUID());
    await Promise.all(customers.map((customer) => rig.profile(customer, 1, ACME)));
    // Versions from the answer of a revocation up to the next grant: none of them may carry the purpose.
    const fenced: { customer: string; after: number; until: number }[] = [];
    await Promise.all(
      customers.map(async (customer) => {
        await rig.permit(customer, partner, 'service-delivery');
        for (let round = 1; round <= 4; round += 1) {
          await rig.permit(customer, partner);
          const [after] = await Promise.all([
            rig.revoke(customer, partner).then((stood) => {
              expect(stood).toBe(true);
              return rig.versionOf(customer, partner);
            }),
            rig.profile(customer, round + 1, {
              ...ACME,
              companyName: `Acme ${round}`,
              domainNames: `${round}.example`,
            }),
          ]);
          const until = round === 4 ? Number.MAX_SAFE_INTEGER : await rig.versionOf(customer, partner);
          fenced.push({ customer, after, until });
        }
      }),
    );
    await quiet();
    const subjects: { customer: string; subject: string }[] = await rig.database.query(
      'SELECT customer, subject FROM shares WHERE recipient = $1',
      [partner],
    );
    const customerOf = new Map(subjects.map(({ subject, customer }) => [subject, customer]));
    const seen = new Map<string, number>();
    let leaks = 0;
    for await (const { subject, record } of rig.readFeed(partner)) {
      if (record === null) continue;
      const { version, attributes } = record;
      expect(version).toBeGreaterThan(seen.get(subject) ?? 0);
      seen.set(subject, version);
      const carries = Object.values(attributes).some((one) =>
        one?.purposes.some(({ purpose }) => purpose === 'recommendation'),
      );
      const customer = customerOf.get(subject);
      if (carries && fenced.some((one) => one.customer === customer && version > one.after && version <= one.until)) {
        leaks += 1;
      }
    }
    expect(leaks).toBe(0);
    expect(fenced).toHaveLength(96);
  });
});

/** Runs work while a release that is under way holds its locks. */
async function duringRelease<T>(of: Parameters<typeof lockEpochsShared>[1], work: () => Promise<T>): Promise<T> {
  let isDone = false;
  let working: Promise<T> | undefined;
  await rig.database.transaction(async (manager) => {
    await lockEpochsShared(manager, of);
    working = work().finally(() => (isDone = true));
    // Known to the database as waiting, so the test need not guess how long.
    await eventually(async () => {
      const waiting: unknown[] = await manager.query(
        `SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database
         WHERE d.datname = current_database() AND locktype = 'advisory' AND NOT granted`,
      );
      expect(waiting).not.toEqual([]);
    });
    expect(isDone).toBe(false);
  });
  return working as Promise<T>;
}

describe('a revocation', () => {
  it('waits for the releases of its share that are under way, and a profile for those of its customer', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner);
    await settled(customer, 1);
    const { id } = (await rig.shareOf(customer, partner))!;
    await duringRelease({ agreement: [], customer: [], share: [id] }, () => rig.revoke(customer, partner));
    await duringRelease({ agreement: [], customer: [customer], share: [] }, () => rig.profile(customer, 2, ACME));
  });

  it('holds against a permission given before it that comes late, also where it changed nothing', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.revoke(customer, partner);
    const late = { how: 'portal', givenAt: new Date(), statementVersion: 1 };
    await eventually(() => expect(Date.now()).toBeGreaterThan(late.givenAt.getTime()));
    await rig.revoke(customer, partner);
    const permissions = new GrantPermissionUseCase(rig.transactions, rig.signals);
    await expect(
      permissions.grant({ customer, recipient: partner, purpose: 'recommendation' }, late),
    ).rejects.toMatchObject({ refusal: { code: 'given-before-revocation' } });
  });

  it('is answered 200 once nothing decided before is on its way, and until then 202 with a place to poll', async () => {
    const customer = randomUUID();
    await rig.profile(customer, 1, ACME);
    await rig.permit(customer, partner);
    await settled(customer, 1);
    await quiet();
    const { id } = (await rig.shareOf(customer, partner))!;
    const permissions = new RevokePermissionUseCase(rig.transactions, rig.signals);
    const routes = new RevocationController(permissions, rig.database, new Fence(rig.database, rig.signals, 50));
    const commands = new CommandsController(rig.database, new Fence(rig.database, rig.signals, 50));
    const caller: Caller = { sub: customer, roles: ['customer'] };
    const statuses: number[] = [];
    const revoke = () =>
      routes.revoke(customer, partner, 'recommendation', caller, { status: (code) => void statuses.push(code) });
    // Of a lane that does not exist, so that no owner settles it.
    await rig.database.query(
      `INSERT INTO sending_records (share, lane, token, batch, entry, customer, agreement_epoch, customer_epoch, share_epoch, outcome)
       VALUES ($1, 99, 1, $1, $1, $2, 0, 0, 0, '{}')`,
      [id, customer],
    );
    const { command, poll } = await revoke();
    expect(poll).toBe(`/commands/${command}`);
    expect(await commands.read(command, caller)).toMatchObject({ state: 'waiting' });
    // Repeating it does not make it true.
    await revoke();
    await rig.database.query('DELETE FROM sending_records WHERE lane = 99');
    expect(await commands.read(command, caller)).toMatchObject({ state: 'done' });
    expect(await revoke()).not.toHaveProperty('poll');
    expect(statuses).toEqual([202, 202, 200]);
  });
});
